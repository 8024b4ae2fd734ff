/* SPDX-License-Identifier: MIT */
void f(void)
{
    sleep(1);
    pro_sleep(1); /* sleep(1); */
    say("sleep(1)");
    Sleep(10);
}
