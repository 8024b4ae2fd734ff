/* SPDX-License-Identifier: MIT */
/* Addresses as text: what is written is read back, what is malformed is refused. */
#include <proact/net.h>

#include "harness.h"

static void check_round_trip(const char *text, const char *expected)
{
    struct pro_addr addr = { 0 }, again = { 0 };
    char written[PRO_ADDR_TEXT] = "";

    if (pro_addr_parse(text, &addr) != PRO_OK) {
        test_fail(__FILE__, __LINE__, "\"%s\" is refused", text);
        return;
    }
    CHECK_EQ(pro_addr_format(&addr, written, sizeof written), (int)strlen(expected));
    CHECK_STR(written, expected);
    CHECK_EQ(pro_addr_parse(written, &again), PRO_OK);
    CHECK(memcmp(&addr, &again, sizeof addr) == 0);
}

TEST(addresses_are_read_and_written_in_their_shortest_form)
{
    // Kills: bytes in the wrong order; a gap that is not the longest, or of one group; a lost zone or port.
    static const char *const pairs[][2] = {
        { "0.0.0.0:0", "0.0.0.0:0" },
        { "127.0.0.1:7000", "127.0.0.1:7000" },
        { "255.255.255.255:65535", "255.255.255.255:65535" },
        { "[::]:0", "[::]:0" },
        { "[::1]:7000", "[::1]:7000" },
        { "[1::]:1", "[1::]:1" },
        { "[0:0:0:0:0:0:0:1]:1", "[::1]:1" },
        { "[2001:db8:0:0:1:0:0:1]:80", "[2001:db8::1:0:0:1]:80" },    /* of two gaps as long the first */
        { "[2001:0:0:1:0:0:0:1]:80", "[2001:0:0:1::1]:80" },          /* the longer one */
        { "[2001:db8:0:1:1:1:1:1]:80", "[2001:db8:0:1:1:1:1:1]:80" }, /* one group is no gap */
        { "[FE80::ABCD%7]:443", "[fe80::abcd%7]:443" },
        { "[::ffff:192.0.2.1]:9", "[::ffff:c000:201]:9" },
        { "[1:2:3:4:5:6:7:8]:9", "[1:2:3:4:5:6:7:8]:9" },
        { "[1:2:3:4:5:6:1.2.3.4]:9", "[1:2:3:4:5:6:102:304]:9" },
        { "[::1.2.3.4]:9", "[::102:304]:9" },
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        check_round_trip(pairs[i][0], pairs[i][1]);
}

TEST(random_addresses_survive_the_round_trip)
{
    // Kills: a special case of the gap that the table does not have.
    uint64_t state = test_seed();

    for (int round = 0; round < 20000; round++) {
        struct pro_addr addr = { .family = round & 1 ? PRO_IPV6 : PRO_IPV4 }, again = { 0 };
        char text[PRO_ADDR_TEXT];

        addr.port = (uint16_t)test_random(&state);
        for (int i = 0; i < (round & 1 ? 16 : 4); i += 2)
            if (test_random(&state) % 3) { /* zero groups are what is hard */
                addr.ip[i] = (uint8_t)test_random(&state);
                addr.ip[i + 1] = (uint8_t)test_random(&state);
            }
        if (round & 1 && test_random(&state) % 4 == 0)
            addr.scope = (uint32_t)(test_random(&state) & 0x7fffffff);
        CHECK(pro_addr_format(&addr, text, sizeof text) > 0);
        CHECK_EQ(pro_addr_parse(text, &again), PRO_OK);
        if (memcmp(&addr, &again, sizeof addr) != 0)
            test_fail(__FILE__, __LINE__, "\"%s\" is read back as another address", text);
    }
}

TEST(malformed_addresses_are_refused_and_write_nothing)
{
    // Kills: a parser that stops at the first thing it understands.
    static const char *const bad[] = {
        "",
        ":",
        "1.2.3.4",
        "1.2.3.4:",
        ":80",
        "1.2.3:80",
        "1.2.3.4.5:80",
        "256.1.1.1:80",
        "1.2.3.4:65536",
        "1.2.3.4:-1",
        "1.2.3.4: 80",
        "1.2.3.4:80 ",
        " 1.2.3.4:80",
        "1..2.3:80",
        "a.b.c.d:80",
        "localhost:80",
        "::1:80",
        "[::1]",
        "[::1]:",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "[:]:80",
        "[:::]:80",
        "[1::2::3]:80",
        "[12345::]:80",
        "[1:2:3:4:5:6:7]:80",
        "[1:2:3:4:5:6:7:8:9]:80",
        "[1:2:3:4:5:6:7:8::]:80",
        "[::g]:80",
        "[1:2:3:4:5:6:7:1.2.3.4]:80",
        "[::1.2.3]:80",
        "[::1.2.3.256]:80",
        "[fe80::1%]:80",
        "[fe80::1%eth0]:80",
        "[::1]:80x",
        "[1:]:80",
        "[:1]:80",
        "1.2.3.4:99999999999999999999",
        "[::%99999999999]:1",
    };
    struct pro_addr addr = { .port = 4711 };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (pro_addr_parse(bad[i], &addr) != PRO_E_INVALID)
            test_fail(__FILE__, __LINE__, "\"%s\" is taken", bad[i]);
    CHECK_EQ(addr.port, 4711);
}

TEST(a_text_that_does_not_fit_is_not_cut)
{
    // Kills: a format that writes a shorter address, or past the end.
    const struct pro_addr addr = pro_addr_loopback(7000);
    char text[16];

    memset(text, '#', sizeof text);
    CHECK_EQ(pro_addr_format(&addr, text, 14), PRO_E_TOO_LARGE); /* 14 characters, and the zero does not fit */
    CHECK_EQ(text[0], '#');
    CHECK_EQ(pro_addr_format(&addr, text, 15), 14);
    CHECK_STR(text, "127.0.0.1:7000");
    CHECK_EQ(text[15], '#');
}

TEST(the_ready_made_addresses_are_what_they_say)
{
    // Kills: loopback and any exchanged; a port in network order.
    char text[PRO_ADDR_TEXT];
    const struct pro_addr loopback = pro_addr_loopback(1), any = pro_addr_any(258);

    CHECK(pro_addr_format(&loopback, text, sizeof text) > 0);
    CHECK_STR(text, "127.0.0.1:1");
    CHECK(pro_addr_format(&any, text, sizeof text) > 0);
    CHECK_STR(text, "0.0.0.0:258");
}
