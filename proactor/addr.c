/* SPDX-License-Identifier: MIT */
/* Addresses as text. Names are not looked up here. */
#include "internal.h"

#include <proact/net.h>

#include <stdio.h>
#include <string.h>

struct pro_addr pro_addr_loopback(uint16_t port)
{
    return (struct pro_addr){ .family = PRO_IPV4, .port = port, .ip = { 127, 0, 0, 1 } };
}

struct pro_addr pro_addr_any(uint16_t port) { return (struct pro_addr){ .family = PRO_IPV4, .port = port }; }

/* Reads decimal digits up to @limit; gives the first character after them, or NULL. */
static const char *read_number(const char *text, unsigned limit, unsigned *ret_value)
{
    unsigned value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9' && at - text < 10; at++) {
        value = value * 10 + (unsigned)(*at - '0');
        if (value > limit)
            return NULL;
    }
    *ret_value = value;
    return at > text ? at : NULL;
}

static const char *read_ipv4(const char *text, uint8_t ret_ip[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned value;

        text = read_number(text, 255, &value);
        if (!text || (i < 3 && *text++ != '.'))
            return NULL;
        ret_ip[i] = (uint8_t)value;
    }
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 4291, 2.2: groups of hexadecimal digits, one "::", an IPv4 tail. Gives what follows, or NULL. */
static const char *read_ipv6(const char *text, uint8_t ret_ip[16])
{
    uint8_t ip[16] = { 0 };
    int count = 0, gap = -1;

    if (text[0] == ':' && text[1] == ':')
        gap = 0, text += 2;
    while (count < 16 && (hex_digit(*text) >= 0)) {
        const char *at = text;
        unsigned group = 0;

        for (; hex_digit(*at) >= 0 && at - text < 5; at++)
            group = group << 4 | (unsigned)hex_digit(*at);
        if (*at == '.' && count <= 12) {
            text = read_ipv4(text, ip + count);
            count += 4;
            break;
        }
        if (at - text > 4)
            return NULL;
        ip[count++] = (uint8_t)(group >> 8);
        ip[count++] = (uint8_t)group;
        text = at;
        if (*text != ':')
            break;
        if (text[1] == ':') {
            if (gap >= 0)
                return NULL;
            gap = count, text += 2;
        } else if (hex_digit(*++text) < 0) {
            return NULL;
        }
    }
    if (!text || (gap < 0 ? count != 16 : count > 14))
        return NULL;
    if (gap >= 0) {
        memmove(ip + 16 - (count - gap), ip + gap, (size_t)(count - gap));
        memset(ip + gap, 0, (size_t)(16 - count));
    }
    memcpy(ret_ip, ip, 16);
    return text;
}

int pro_addr_parse(const char *text, struct pro_addr *ret_addr)
{
    struct pro_addr addr = { 0 };
    unsigned value = 0;

    if (!text || !ret_addr)
        return proi_misuse(PRO_E_INVALID, "pro_addr_parse: an argument is NULL");
    if (*text == '[') {
        addr.family = PRO_IPV6;
        text = read_ipv6(text + 1, addr.ip);
        if (text && *text == '%') {
            text = read_number(text + 1, 0x7fffffff, &value);
            addr.scope = value;
        }
        if (!text || *text++ != ']')
            return PRO_E_INVALID;
    } else {
        addr.family = PRO_IPV4;
        text = read_ipv4(text, addr.ip);
    }
    if (!text || *text != ':')
        return PRO_E_INVALID;
    text = read_number(text + 1, 65535, &value);
    if (!text || *text)
        return PRO_E_INVALID;
    addr.port = (uint16_t)value;
    *ret_addr = addr;
    return PRO_OK;
}

/* The longest run of zero groups, two or more, is written "::" (RFC 5952). */
static void format_ipv6(const struct pro_addr *addr, char *text, size_t size)
{
    int best = -1, best_length = 1, length = 0;
    size_t used = 0;

    for (int i = 0; i < 8; i++) {
        length = addr->ip[2 * i] | addr->ip[2 * i + 1] ? 0 : length + 1;
        if (length > best_length)
            best_length = length, best = i - length + 1;
    }
    for (int i = 0; i < 8 && used < size; i++) {
        const unsigned group = (unsigned)addr->ip[2 * i] << 8 | addr->ip[2 * i + 1];

        if (i == best) {
            used += (size_t)snprintf(text + used, size - used, "::");
            i += best_length - 1;
        } else {
            used += (size_t)snprintf(text + used, size - used, "%s%x", i && i != best + best_length ? ":" : "", group);
        }
    }
}

int pro_addr_format(const struct pro_addr *addr, char *ret_text, size_t size)
{
    char text[PRO_ADDR_TEXT + 32] = "", host[48] = "";
    int length;

    if (!addr || !ret_text || !size || (addr->family != PRO_IPV4 && addr->family != PRO_IPV6))
        return proi_misuse(PRO_E_INVALID, "pro_addr_format: an argument is missing or not valid");
    if (addr->family == PRO_IPV4) {
        length = snprintf(text, sizeof text, "%u.%u.%u.%u:%u", addr->ip[0], addr->ip[1], addr->ip[2], addr->ip[3],
                          addr->port);
    } else {
        format_ipv6(addr, host, sizeof host);
        if (addr->scope)
            length = snprintf(text, sizeof text, "[%s%%%u]:%u", host, (unsigned)addr->scope, addr->port);
        else
            length = snprintf(text, sizeof text, "[%s]:%u", host, addr->port);
    }
    if ((size_t)length >= size)
        return PRO_E_TOO_LARGE;
    memcpy(ret_text, text, (size_t)length + 1);
    return length;
}
