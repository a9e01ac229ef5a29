# SPDX-License-Identifier: GPL-2.0-or-later
"""The sharing matrix: of exporters, importers and sizes, what has to come of each cell and what does.

    layout ── zones, belief ── placement ── expected ─┐
                                                      ├─ cells ── heatmap, matrix.json, junit.xml
    layout ── sweep ── probe ── observed ─────────────┘

The upper line is pure and knows no guest; the lower one knows no expectation. docs/matrix.md has the rules.
"""
