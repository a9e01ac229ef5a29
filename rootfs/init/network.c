// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A static address saves the time of DHCP.  10.0.2.0/24 with the guest at .15
 * and the host at .2 is QEMU's user network (docs/system/devices/net.rst in
 * QEMU's source).
 */
#include "init.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define GUEST_ADDRESS "10.0.2.15"
#define GUEST_NETMASK "255.255.255.0"
#define GUEST_GATEWAY "10.0.2.2"

static void set_address(struct sockaddr *to, const char *text)
{
	struct sockaddr_in *address = (struct sockaddr_in *)to;

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	inet_pton(AF_INET, text, &address->sin_addr);
}

static struct ifreq request_for(const char *interface)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	return request;
}

static int interface_up(int sock, const char *interface)
{
	struct ifreq request = request_for(interface);

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(sock, SIOCSIFFLAGS, &request);
}

static int interface_address(int sock, const char *interface, unsigned long command,
			     const char *text)
{
	struct ifreq request = request_for(interface);

	set_address(&request.ifr_addr, text);
	return ioctl(sock, command, &request);
}

static int default_route(int sock)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };

	set_address(&route.rt_dst, "0.0.0.0");
	set_address(&route.rt_genmask, "0.0.0.0");
	set_address(&route.rt_gateway, GUEST_GATEWAY);
	return ioctl(sock, SIOCADDRT, &route);
}

static int ethernet_up(int sock)
{
	if (interface_address(sock, "eth0", SIOCSIFADDR, GUEST_ADDRESS) != 0)
		return -1;
	if (interface_address(sock, "eth0", SIOCSIFNETMASK, GUEST_NETMASK) != 0)
		return -1;
	if (interface_up(sock, "eth0") != 0)
		return -1;
	return default_route(sock);
}

void network_up(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0) {
		say_errno("no network");
		return;
	}
	if (interface_up(sock, "lo") != 0)
		say_errno("lo");
	if (ethernet_up(sock) != 0)
		say_errno("eth0");
	close(sock);
}
