#!/usr/bin/env python3
"""Writes python.json: what CPython makes of format strings.

Run it with CPython 3.11 and redirect its output:

    /usr/bin/python3 python.py > python.json

Each case is a template, its arguments as JSON (with {"$": type, "v": value} for
what JSON lacks) and either "out" or "err", the text of the exception.
"""
import datetime
import itertools
import json

cases = []


def encode(v):
    if isinstance(v, bytes):
        return {"$": "bytes", "v": v.hex()}
    if isinstance(v, datetime.datetime):
        return {"$": "time", "v": v.isoformat()}
    if isinstance(v, float):
        return {"$": "float", "v": repr(v)}
    if isinstance(v, int) and not isinstance(v, bool) and abs(v) >= 2**63:
        return {"$": "big", "v": str(v)}
    if isinstance(v, list):
        return [encode(e) for e in v]
    if isinstance(v, dict):
        return {k: encode(e) for k, e in v.items()}
    return v


def case(template, *args, **kwargs):
    c = {"template": template, "args": encode(list(args)), "kwargs": encode(kwargs)}
    try:
        c["out"] = template.format(*args, **kwargs)
    except KeyError as e:
        c["err"] = "KeyError"
    except Exception as e:
        c["err"] = str(e)
    cases.append(c)


# Fields
user = {"deep": {"k": {"x": 1}}, "name": "Ann", "tags": ["a", "b"]}
for t in ["", "plain", "{}", "{} {}", "{0} {0}", "{1} {0}", "{a}", "{a} {}", "{{}}", "{{{}}}", "}}{{", "{{0}}",
          "{", "}", "a{", "a}", "{0", "{0!", "{0!r", "{0!r:", "{0:", "{!r}", "{!s:>5}", "{!a}", "{!x}", "{!rr}", "{0!r:>10}",
          "{} {0}", "{0} {}", "{a.b}", "{0.}", "{0[}", "{0[]}", "{0[a]b}", "{0{}}", "{9}", "{zz}", "{:{}}", "{:{}.{}}",
          "{:{:{}}}", "{0:{1}}", "{0:{a}}", "{0:>{w}}", "{0:{zz}}", "{99999999999999999999999}", "{-1}", "{ 0}", "{0 }", "{é}", "{0:}}", "{0:}", "{0!s}",
          "{0!r}}", "{:}}", "{0!s:}", "{ }", "{a!r:^{w}}", "{!}", "{0[", "{0.a", "{:>{}} {}", "{0[!]}", "{0[:]}", "{0[{]}"]:
    case(t, "x", 5, a="ä", w=9)
for t in ["{u[name]}", "{u[tags][0]}", "{u[tags][1]!r}", "{u[tags]}", "{u[deep][k][x]:03d}", "{u[zz]}", "{u[tags][7]}",
          "{u[tags][x]}", "{u.name}", "{u}", "{u!r}", "{u!s:}", "{u:5}", "{u[tags]:5}", "{u[name][0]}"]:
    case(t, u=user)

# Text of values
values = [None, True, False, 0, -7, 2**80, -(2**70), 1.0, -0.0, 0.1, 1e15, 1e16, 1.5e16, 123456789012345680.0, 1e22, 1e-4,
          0.00001, 5e-324, 1.7976931348623157e308, float("nan"), float("inf"), float("-inf"), "", "a'b", 'a"b', "a'\"b", "tab\tnew\nline\\",
          "\x00\x1b\x7f\x80\xad", "б☃😀", "\u2028\u200b\ue000", b"", b"ab'\x00\xff\n", [], [None, True, 1, 1.0, "a", b"b", [1]], {}, {"a": None, "b": [1.5, {"c": "d"}]},
          datetime.datetime(2024, 2, 3, 4, 5, 6), datetime.datetime(2024, 2, 3, 4, 5, 6, 70)]
for v, t in itertools.product(values, ["{}", "{!s}", "{!r}", "{!a}", "{:>6}", "{:x}"]):
    if isinstance(v, datetime.datetime) and "!r" in t or isinstance(v, datetime.datetime) and "!a" in t:
        continue
    case(t, v)

# Specifications
aligns = ["", "<", ">", "^", "=", "*<", "é^", "0=", "x=", "{>" ]
specs = set()
for a, s, alt, z, w, g, p, ty in itertools.product(["", "<", "*^", "0="], ["", "+", " ", "-"], ["", "#"], ["", "0"], ["", "12"], ["", ",", "_"], ["", ".3"], ["", "d", "x", "f", "g", "s"]):
    specs.add(a + s + alt + z + w + g + p + ty)
specs = sorted(specs)[::17]
for a in aligns:
    specs += [a + "9", a + "9s", a + "1", a]
specs += ["b", "#b", "o", "#o", "x", "#x", "X", "#X", "#_b", "_b", "_x", ",x", "_o", "c", "5c", "#c", "+c", ",c", ".2c", "d", "n", "e", "E", ".0e", "#.0e", "f", "F", ".0f", "#.0f",
          "g", "G", "#g", ".0g", ".1", ".2", ".3", ".10", ".17", ".20", "#", "#.3", "%", ".1%", "+.1%", "010%", "r", "q", "S", "é", "10x5", "d5", ".", ".f", "5.", ",,", "__", ",_", "_,", ",s", "_s",
          "z", "z.0f", "zf", "zd", "zs", "0", "00", "005", "<05", "05<", ">", ">>5", "=5", "010,", "012,", "013,", "014,d", "09_x", "012_b", "020,.2f", "+020,.2f", "<020,", "*>12,", "1", "-1", "+-5", "  5", " 5", "5 ",
          ".3s", "10.2s", "-^10.2s", "s", "5s", "3000", "0300d", "!r", "i", "u", "D"]
nums = ["text", "б☃😀", "", 0, 42, -42, 255, 1234567, -1234567, 2**80, True, 0.0, -0.0, 1.5, -1.5, 3.14159265358979, 1234567.891, 1e16, 1e-7, 123456789012345.6, 0.5, 2.5, 99.9999999,
        float("nan"), float("inf"), float("-inf"), None, [1], b"x"]
for i, (v, s) in enumerate(itertools.product(nums, specs)):
    if i % 3 == 0 and "{" not in s:
        case("{:" + s + "}", v)

# Times
times = [datetime.datetime(2024, 2, 29, 0, 5, 6, 123456), datetime.datetime(2023, 12, 31, 23, 59, 59), datetime.datetime(2021, 1, 3, 12, 0, 0, 5), datetime.datetime(2000, 7, 10, 13, 1, 2)]
for t in times:
    t = t.replace(tzinfo=datetime.timezone.utc)
    for d in "aAwdbBmyYHIpMSfzZjUWcxX%GuVeDFTRntklChPrgs":
        case("{:[%" + d + "]}", t)
    for s in ["%Y-%m-%d %H:%M:%S.%f", "%-d %_d %0e %^a", "%", "a%", "%%Y", "%E", "%Q", "{}"]:
        case("{:" + s + "}", t)
for h in [-11.5, 5.75, 1]:
    t = datetime.datetime(2024, 2, 3, 4, 5, 6, 7, tzinfo=datetime.timezone(datetime.timedelta(hours=h)))
    case("{:%z %H} {}", t, t)
case("{:%Y-{}}", times[0], "x")

out = []
seen = set()
for c in cases:
    s = json.dumps(c, sort_keys=True)
    if s not in seen:
        seen.add(s)
        out.append(s)
print("[\n" + ",\n".join(out) + "\n]")
