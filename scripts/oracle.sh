#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Asks .NET itself: builds the C# side of the conformance scenarios, runs it, and compares what it prints with the traces
# in tests/conformance/expected.
#
#   oracle.sh [--times N] [--jobs N] [--into DIR] [NNN …]
#
#   --times N   each scenario so often; all traces must be the same (1)
#   --jobs N    scenarios at a time (1: some of them measure time)
#   --into DIR  where to build (build/oracle)
#
# Exit status: 0 when every trace is .NET's own, 1 when one is not, 77 and a sentence where there is no .NET 10 SDK.
set -u
repo=$(cd "$(dirname "$0")/.." && pwd)
csharp=$repo/tests/conformance/csharp
expected=$repo/tests/conformance/expected
times=1 jobs=1 into=$repo/build/oracle
usage() { sed -n '6,10s/^# \{0,1\}//p' "$0" >&2; exit 64; }
while [ $# -gt 0 ]; do
    case $1 in
    --times | --jobs | --into) [ $# -gt 1 ] || usage; declare "${1#--}=$2"; shift 2 ;;
    [0-9][0-9][0-9]) break ;;
    *) usage ;;
    esac
done
[[ $times =~ ^[1-9][0-9]*$ && $jobs =~ ^[1-9][0-9]*$ ]] || usage
if ! dotnet --list-sdks 2>/dev/null | grep -q '^10[.]'; then
    echo 'The stored traces were not compared with .NET: the .NET 10 SDK (dotnet) is not installed here.'
    exit 77
fi
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
rm -rf "$into"
mkdir -p "$into" || exit 1
cat >"$into/oracle.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <StartupObject>AllInOne</StartupObject>
    <EnableDefaultCompileItems>false</EnableDefaultCompileItems>
    <UseAppHost>false</UseAppHost>
    <Nullable>disable</Nullable>
    <ImplicitUsings>disable</ImplicitUsings>
    <InvariantGlobalization>true</InvariantGlobalization>
    <ConcurrentGarbageCollection>false</ConcurrentGarbageCollection>
    <NoWarn>\$(NoWarn);CS1998;CS4014;CA2261</NoWarn>
  </PropertyGroup>
  <ItemGroup><Compile Include="$csharp/**/*.cs" /></ItemGroup>
</Project>
PROJECT
if ! dotnet build -v quiet -c Release -o "$into/out" "$into/oracle.csproj" >"$into/log" 2>&1; then
    cat "$into/log" >&2
    exit 1
fi

ask() { # ask NNN NAME: a line of verdict, and the difference
    local number=$1 name=$2 run
    for ((run = 1; run <= times; run++)); do
        timeout 90 dotnet "$into/out/oracle.dll" "$number" >"$into/$number.$run" 2>/dev/null
        if ! cmp -s "$into/$number.1" "$into/$number.$run"; then
            echo "UNSTABLE  $name (run $run of $times)"
            diff "$into/$number.1" "$into/$number.$run" | sed 's/^/    /'
            return 1
        fi
    done
    if diff -u "$expected/$number.trace" "$into/$number.1" >"$into/$number.diff" 2>&1; then
        echo "ok        $name"
    else
        echo "DIFFERENT $name"
        sed 's/^/    /' "$into/$number.diff"
        return 1
    fi
}

asked=0 different=0 running=()
collect() { # the oldest that runs
    wait "${running[0]%%:*}" || different=$((different + 1))
    cat "$into/${running[0]##*:}.verdict"
    running=("${running[@]:1}")
}
for file in "$csharp"/scenarios/*.cs; do
    name=$(basename "$file" .cs)
    number=${name%%-*}
    [ $# -eq 0 ] || [[ " $* " == *" $number "* ]] || continue
    asked=$((asked + 1))
    ask "$number" "$name" >"$into/$number.verdict" 2>&1 &
    running+=("$!:$number")
    [ ${#running[@]} -lt "$jobs" ] || collect
done
while [ ${#running[@]} -gt 0 ]; do collect; done
if [ $asked = 0 ]; then
    echo "there is no scenario $*" >&2
    exit 64
fi
echo "$asked scenarios asked of .NET $(dotnet --version), $different different"
[ $different = 0 ]
