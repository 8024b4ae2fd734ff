/* SPDX-License-Identifier: MIT */
int at_the_limit(void)
{
    step();
    step();
    step();
    step();
    step();
    step();
}
int beyond(void)
{
    step();
    step();
    step();
    step();
    step();
    step();
    step();
}
