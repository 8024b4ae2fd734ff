// SPDX-License-Identifier: MIT
// Entry point when every scenario is compiled into one program:  AllInOne.exe 001
// (compile with -main:AllInOne, or <StartupObject>AllInOne</StartupObject>).
using System;
using System.Reflection;

public static class AllInOne
{
    public static int Main(string[] args)
    {
        Type t = args.Length == 1 ? typeof(AllInOne).Assembly.GetType("S" + args[0]) : null;
        MethodInfo m = t == null ? null : t.GetMethod("Main", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);
        if (m == null)
        {
            Console.Error.WriteLine("usage: AllInOne NNN");
            return 64;
        }
        return ((Func<int>)Delegate.CreateDelegate(typeof(Func<int>), m))();
    }
}
