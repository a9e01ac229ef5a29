# SPDX-License-Identifier: GPL-2.0-or-later
import pytest

from dmabed import units


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("64KiB", 65536),
        ("3GiB", 3 << 30),
        ("1 MiB", 1 << 20),
        ("17B", 17),
        ("4096", 4096),
        (0x3B400000, 0x3B400000),
    ],
)
def test_size(text, count):
    assert units.size(text) == count


@pytest.mark.parametrize(
    "text", ["64kB", "64K", "1.5MiB", "", "KiB", "1e3", "٣KiB", "0x10KB", None, True, 1.0]
)
def test_size_refuses_what_is_no_size(text):
    with pytest.raises(ValueError, match=r"not a size; allowed: .*KiB"):
        units.size(text)


@pytest.mark.parametrize("text", [-1, "-1", "-4KiB"])
def test_size_refuses_negative(text):
    with pytest.raises(ValueError, match="is negative; allowed: "):
        units.size(text)


@pytest.mark.parametrize("text", ["0B", "1B", "1023B", "1KiB", "65KiB", "3GiB", "948MiB", "1025MiB"])
def test_format_is_the_inverse_of_size(text):
    assert units.format_size(units.size(text)) == text


@pytest.mark.parametrize("text", [1 << 64, "18446744073709551616", "17179869184GiB", "0x10000000000000000"])
def test_size_refuses_more_than_64_bits(text):
    with pytest.raises(ValueError, match="is more than 64 bits hold; allowed: "):
        units.size(text)
