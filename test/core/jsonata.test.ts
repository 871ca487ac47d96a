import { describe, expect, it } from "vitest";
import {
  LIST_ELEMENTS_MAX,
  STACK_MAX,
  STEPS_MAX,
  TEXT_LENGTH_MAX,
  VALUE_DEPTH_MAX,
} from "../../src/core/jsonata-budget.ts";
import {
  EVALUATED_DEFAULTS_MAX,
  EVALUATED_LENGTH_MAX,
  PARSED_LENGTH_MAX,
  PICTURE_LENGTH_MAX,
  SORTED_ELEMENTS_MAX,
} from "../../src/core/jsonata-built-ins.ts";
import { checkedJsonata } from "../../src/core/checked-jsonata.ts";
import { evaluateJsonata } from "../../src/core/jsonata-evaluation.ts";
import { writeResult } from "../../src/core/jsonata-output.ts";
import type { JsonataEngine } from "../../src/core/jsonata.ts";
import { EXPRESSION_LENGTH_MAX, compileJsonata, jsonataEngine } from "../../src/core/jsonata.ts";
import type { Json, Result } from "../../src/core/result.ts";
import { OUTPUT_BYTES_MAX } from "../../src/core/template.ts";

const CONTEXT = { acceptedAt: Date.parse("2026-03-01T09:30:00Z"), seed: "msg_1" };
/** Generous: the machine may be busy. What is not bounded takes minutes. */
const SECONDS_MAX = 8;

async function evaluate(text: string, input: Json = {}, context = CONTEXT): Promise<Result<unknown, string>> {
  const compiled = compileJsonata(text);
  if (!compiled.ok) throw new Error(compiled.error.join());
  return evaluateJsonata(compiled.value, input, context);
}

/** The result as JSON text, or what is wrong. */
async function made(text: string, input: Json = {}, context = CONTEXT): Promise<string> {
  const result = await evaluate(text, input, context);
  const written = result.ok ? writeResult(result.value) : result;
  return written.ok ? written.value : `failed: ${written.error}`;
}

function mistakes(text: string): readonly string[] {
  const compiled = compileJsonata(text);
  return compiled.ok ? [] : compiled.error;
}

describe("an expression that is wrong", () => {
  it.each([
    ["data.(a", 'Expected ")" before end of expression (S0203) at line 1, column 7'],
    ["{\n  'a': 1,\n  'b' 2\n}", 'Expected ":", got 2 (S0202) at line 3, column 7'],
    ["$contains(a, /[b-a]/)", "a regular expression in it is wrong"],
    ["$contains(a, /b(?=c)/)", "there is no look-ahead and no look-behind in linear time, at character 2"],
    ["$map(a, function($x){ $x[$contains(b, /(a)\\1/)] })", "there are no back-references"],
    ["a{ $substringBefore(b, '-'): $match(c, /(?!x)/) }", "no look-ahead"],
    ["a^($match(b, /(?<=x)y/))", "no look-behind"],
    ["$ ~> |a|{'b': $split(c, /(?=x)/)}|", "no look-ahead"],
    ["$uppercas(a)", "there is no function $uppercas at line 1, column 9; did you mean $uppercase?"],
    [
      "($double := function($x){2 * $x}; $doubel(1))",
      "there is no function $doubel at line 1, column 41; did you mean $double?",
    ],
    ["$contains(a, /x/) ?? 1", "a regular expression can't stand before ??"],
    ["(".repeat(9_000), "nests too deeply"],
  ])("%s", (text, message) => expect(mistakes(text).join("\n")).toContain(message));

  it("is told of all its functions and regular expressions at once", () => {
    expect(mistakes("[$a(1), $b(2), /(?=a)/, /(?=b)/]")).toHaveLength(4);
  });

  it("is not one that defines what it calls", () => {
    for (const text of ["function($f){ $f(1) }($string)", "($f := $sum; $f([1]))", "a@$x.$x(1)", "$ ~> $string"]) {
      expect(mistakes(text), text).toEqual([]);
    }
  });

  it("is longer than the limit", () => {
    expect(mistakes(`"${"x".repeat(EXPRESSION_LENGTH_MAX - 2)}"`)).toEqual([]);
    expect(mistakes(`"${"x".repeat(EXPRESSION_LENGTH_MAX - 1)}"`)).toEqual([
      `an expression has at most ${EXPRESSION_LENGTH_MAX} characters`,
    ]);
  });
});

describe("an expression that was checked before", () => {
  it("does what it does everywhere, and is read when it is first evaluated", async () => {
    const outcome = async (engine: JsonataEngine, text: string) => {
      const compiled = engine.compile(text);
      if (!compiled.ok) throw new Error(compiled.error.join());
      return JSON.stringify(await engine.evaluate(compiled.value, { data: [3, 4] }, CONTEXT));
    };
    for (const text of [
      "$sum(data)",
      "$now() & $random()",
      "$match('a1b2', /\\d/).match",
      "data.x + 'y'",
      "[1..1e6]",
    ]) {
      expect(await outcome(checkedJsonata, text), text).toEqual(await outcome(jsonataEngine, text));
    }
    expect(checkedJsonata.compile("(").ok).toBe(true);
    expect(await outcome(checkedJsonata, "(")).toContain('{"ok":false,"error":"the expression failed at line 1');
  });
});

describe("time and chance", () => {
  const text = "[$now(), $millis(), $random(), $random(), $shuffle([1..20]), $toMillis('10:00', '[H]:[m]')]";

  it("are the delivery's: the same at every attempt", async () => {
    const first = await made(text);
    expect(await made(text)).toBe(first);
    expect(first).toContain('["2026-03-01T09:30:00.000Z",1772357400000,');
    expect(first).toContain(String(Date.parse("2026-03-01T10:00:00Z")));
    expect(await made(text, {}, { ...CONTEXT, seed: "msg_2" })).not.toBe(first);
  });

  it("are not shared by evaluations of one expression that run side by side", async () => {
    const compiled = compileJsonata(
      "($a := $millis(); $b := [1..50].($random() & $a); [$a, $millis(), $b, $eval('$now()')])",
    );
    if (!compiled.ok) throw new Error(compiled.error.join());
    const one = (n: number) => evaluateJsonata(compiled.value, {}, { acceptedAt: n, seed: `seed ${n}` });
    const alone: unknown[] = [];
    for (let n = 0; n < 8; n++) alone.push(await one(n));
    expect(await Promise.all(Array.from({ length: 8 }, (_, n) => one(n)))).toEqual(alone);
    expect(new Set(alone.map((value) => JSON.stringify(value))).size).toBe(8);
  });
});

describe("the result", () => {
  it.each([
    ["data.x", '{"y":[1,null]}'],
    ["[data.list.n]", "[1,2]"],
    ["data.list[0]", '{"n":1}'],
    ["null", "null"],
    ["$match('b', /(a)?b/).groups", "[null]"],
    ["{'a': nothing, 'b': 1}", '{"b":1}'],
    ["data.nothing", "failed: the result is undefined: the expression found nothing; write a default with ??"],
    ["$sum", "failed: the result is a function, which JSON has no word for"],
    ["/a/", "failed: the result is a function or a regular expression, which JSON has no word for"],
    [
      "{'a': [1, {'b c': function(){1}}]}",
      'failed: the result\'s a[1]["b c"] is a function, which JSON has no word for',
    ],
    ["{'a': $uppercase}", "failed: the result's a is a function, which JSON has no word for"],
    [
      "[$number('0x' & $pad('', 300, 'F'))]",
      "failed: the result's [0] is no finite number, which JSON has no word for",
    ],
    ["$ ~> |$|{'self': $}|", `failed: the result's data.x.y is deeper`],
  ])("of %s", async (text, expected) => {
    const input = { data: { x: { y: [1, null] }, list: [{ n: 1 }, { n: 2 }] } };
    const found = await made(text, input);
    if (expected.endsWith("deeper")) expect(found).toContain(`deeper than ${VALUE_DEPTH_MAX} levels`);
    else expect(found).toBe(expected);
  });

  it("has a bounded size, counted in bytes, also where one value stands in many places", async () => {
    expect(await made("data", { data: "x".repeat(OUTPUT_BYTES_MAX - 2) })).toHaveLength(OUTPUT_BYTES_MAX);
    const tooLarge = `failed: the result is larger than ${OUTPUT_BYTES_MAX} bytes`;
    expect(await made("data", { data: "x".repeat(OUTPUT_BYTES_MAX - 1) })).toBe(tooLarge);
    expect(await made("data", { data: "é".repeat(OUTPUT_BYTES_MAX / 2) })).toBe(tooLarge);
    expect(await made("[1..10000].[$$.data]", { data: "x".repeat(100_000) })).toBe(tooLarge);
  });

  it("is data, whatever names the event uses", async () => {
    const text =
      '{"_jsonata_lambda":true,"_jsonata_function":true,"thunk":true,"then":1,"__proto__":{"a":1},"sequence":true}';
    expect(await made("data", { data: JSON.parse(text) as Json })).toBe(text);
  });
});

describe("a failure", () => {
  it.each([
    ["1 + data", 'failed at line 1, column 3: The right side of the "+" operator must evaluate to a number (T2002)'],
    ["(\n  $number(data)\n)", "failed at line 2, column 10: Unable to cast value to a number: a string (D3030)"],
    ["data < 5", 'either side of operator "<" must be of the same data type (T2009)'],
    ["-[data]", "Cannot negate a non-numeric value: a list (D1002)"],
    ["{[data]: 1}", "Key in object structure must evaluate to a string; got: a list (T1003)"],
    ["$decodeUrl('%' & data)", "Malformed URL passed to $decodeUrl(): a string (D3140)"],
    ["$eval('1 + $$.data')", "in what $eval evaluates (D3121): The right side"],
    ["$eval(data)", "the text that $eval got is no JSONata (D3120)"],
    ["$assert(data = 1, 'no number')", "failed at line 1, column 8: no number (D3141)"],
  ])("of %s names the place, the code and nothing of the event", async (text, message) => {
    const found = await made(text, { data: 'se"cret {hidden} [x' });
    expect(found).toMatch(/^failed: the expression failed at line \d, column \d+: /);
    expect(found).toContain(message);
    expect(found).not.toMatch(/se"?\\?"?cret|hidden/);
  });

  it("comes out of the package's own mistakes too", async () => {
    expect(
      await made("$match('a', function(){ {'match': 'a', 'start': 0, 'end': 1, 'groups': [], 'next': 5} })"),
    ).toMatch(/^failed: the expression (can't be evaluated|failed)/);
  });
});

describe("the limits", () => {
  const stopped = async (text: string, input: Json = {}): Promise<string> => {
    const startedAt = performance.now();
    const found = await made(text, input);
    expect((performance.now() - startedAt) / 1_000).toBeLessThan(SECONDS_MAX);
    return found;
  };

  it("bound the elements of a list", async () => {
    const list = (length: number): Json => ({ data: Array.from({ length }, (_, n) => n) });
    const tooMany = `a list in it has more than ${LIST_ELEMENTS_MAX} elements`;
    expect(await made(`$count([1..${LIST_ELEMENTS_MAX}])`)).toBe(String(LIST_ELEMENTS_MAX));
    expect(await made(`$count([1..${LIST_ELEMENTS_MAX + 1}])`)).toContain(tooMany);
    expect(await made("$map([1..1000000], function($i){ $i })")).toContain(tooMany);
    expect(await made("$count(data)", list(LIST_ELEMENTS_MAX))).toBe(String(LIST_ELEMENTS_MAX));
    expect(await made("$count(data)", list(LIST_ELEMENTS_MAX + 1))).toContain(tooMany);
    expect(await made("$count($split(data, ''))", { data: "x".repeat(LIST_ELEMENTS_MAX + 1) })).toContain(tooMany);
    expect(await made("data ~> |$|{}|", list(LIST_ELEMENTS_MAX + 1))).toContain(tooMany);
  });

  it("bound the length of a text, also of one in between", async () => {
    const tooLong = `a text in it is longer than ${TEXT_LENGTH_MAX} characters`;
    const input = (length: number): Json => ({ data: "x".repeat(length) });
    expect(await made("$length(data & 'x')", input(TEXT_LENGTH_MAX - 1))).toBe(String(TEXT_LENGTH_MAX));
    expect(await made("$length(data & 'x')", input(TEXT_LENGTH_MAX))).toContain(tooLong);
    expect(await stopped("($d := function($s){ $d($s & $s) }; $d('x'))")).toContain(tooLong);
    expect(await stopped("$join([1..10000].($$.data))", input(100_000))).toContain(tooLong);
    expect(await stopped("$replace(data, 'x', data)", input(2_000))).toContain(tooLong);
    expect(await stopped("$replace(data, /x/, data)", input(2_000))).toContain(tooLong);
  });

  it("bound what is made into text, before it is made", async () => {
    const input = { data: "x".repeat(5_000) };
    const tooLong = `a value in it is longer than ${TEXT_LENGTH_MAX} characters as text`;
    for (const text of ["$string", "$clone"]) {
      expect(await stopped(`${text}([1..10000].($$.data))`, input)).toContain(tooLong);
    }
    for (const text of ["X & ''", "'' & X", "-X", "{X: 1}", "data{X: 1}", "$ ~> |$|X|", "$ ~> |$|{}, X|"]) {
      expect(
        await stopped(
          text.replace("X", () => "[1..10000].($$.data)"),
          input,
        ),
        text,
      ).toContain(tooLong);
    }
    expect(await made("$ ~> |$|{'self': $}| ~> $string()")).toContain(`deeper than ${VALUE_DEPTH_MAX} levels`);
  });

  it("bound what $pad makes", async () => {
    expect(await made(`$length($pad('', ${TEXT_LENGTH_MAX}))`)).toBe(String(TEXT_LENGTH_MAX));
    const tooWide = `$pad makes at most ${TEXT_LENGTH_MAX} characters`;
    for (const text of [`$pad('', ${TEXT_LENGTH_MAX + 1})`, "$pad('', -1e9)", `$pad('', ${TEXT_LENGTH_MAX}, 'ab')`]) {
      expect(await made(text)).toContain(tooWide);
    }
  });

  it("bound the steps, also of what repeats itself without a stack", async () => {
    const tooMany = `it takes more than ${STEPS_MAX} steps`;
    expect(await stopped("($f := function($n){ $f($n + 1) }; $f(0))")).toContain(tooMany);
    expect(await stopped("($f := function($n){ $n = 1000 ? $n : $f($n + 1) }; $f(0))")).toBe("1000");
    expect(await stopped("($e := function($n){ $eval('$e($n + 1)') }; $e(0))")).toContain(tooMany);
    expect(await stopped("[1..10000].($n := $; [1..10000].($n * $))")).toContain(tooMany);
    expect(await stopped("$reduce([1..10000], $append)")).toContain(tooMany);
    expect(await stopped("[1..10000].$substring($$.data, $, 1)", { data: "x".repeat(500_000) })).toContain(tooMany);
    expect(await stopped("[1..10000].$uppercase($$.data & $)", { data: "x".repeat(50_000) })).toContain(tooMany);
    expect(await stopped("[1..10000].[[1..10000]]")).toContain(tooMany);
  });

  it("bound the depth of a value", async () => {
    const nested = (depth: number) => `$reduce([1..${depth}], function($a, $i){ { "a": $a } }, 1)`;
    expect(await made(nested(VALUE_DEPTH_MAX))).toHaveLength(6 * VALUE_DEPTH_MAX + 1);
    expect(await made(nested(VALUE_DEPTH_MAX + 1))).toContain(`deeper than ${VALUE_DEPTH_MAX} levels`);
    expect(await made(`$length($string(${nested(VALUE_DEPTH_MAX)}))`)).toBe(String(6 * VALUE_DEPTH_MAX + 1));
    expect(await made(`$string(${nested(VALUE_DEPTH_MAX + 1)})`)).toContain(`deeper than ${VALUE_DEPTH_MAX} levels`);
  });

  it("bound how many parts are under way at one time", async () => {
    const tooDeep = `more than ${STACK_MAX} parts of it are under way at one time`;
    expect(await stopped("($f := function($n){ 1 + $f($n + 1) }; $f(0))")).toContain(tooDeep);
    expect(await stopped("($f := function($n){ $n = 0 ? 0 : 1 + $f($n - 1) }; $f(1000))")).toBe("1000");
    // Both sides of the limit: each round is as deep as the one before.
    const depth = async (n: number) => made(`($f := function($n){ $n = 0 ? 0 : 1 + $f($n - 1) }; $f(${n}))`);
    let [works, fails] = [1_000, 20_000];
    while (fails - works > 1) {
      const middle = Math.floor((works + fails) / 2);
      if ((await depth(middle)) === String(middle)) works = middle;
      else fails = middle;
    }
    expect(works).toBeGreaterThan(STACK_MAX / 8);
    expect(await depth(fails)).toContain(tooDeep);
  });

  it("bound what is sorted", async () => {
    const list = (length: number) => `[1..${length}]`;
    expect(await made(`$sort(${list(SORTED_ELEMENTS_MAX)})[0]`)).toBe("1");
    expect(await made(`$sort(${list(SORTED_ELEMENTS_MAX + 1)})[0]`)).toContain(
      `$sort sorts at most ${SORTED_ELEMENTS_MAX} elements`,
    );
    const commits = (length: number): Json => ({
      data: Array.from({ length }, (_, n) => ({ at: (n * 7_919) % length })),
    });
    expect(await made("data^(at)[0]", commits(3_000))).toBe('{"at":0}');
    expect(await stopped("data^(at)[0]", commits(9_000))).toContain("steps");
  });

  it("leave room for large events", async () => {
    const items = Array.from({ length: 9_000 }, (_, n) => ({ id: n, name: `item ${n % 100}` }));
    expect(await made("$count($distinct(data))", { data: items })).toBe("9000");
    expect(await made("$count($keys(data{name: $count(id)}))", { data: items })).toBe("100");
    expect(await made("$count(data.{ 'id': id, 'text': $uppercase(name) & '!' })", { data: items })).toBe("9000");
  });

  it("bound what $eval reads", async () => {
    const text = (length: number): Json => ({ data: `"${"x".repeat(length - 2)}"` });
    expect(await made("$length($eval(data))", text(EVALUATED_LENGTH_MAX))).toBe(String(EVALUATED_LENGTH_MAX - 2));
    expect(await made("$eval(data)", text(EVALUATED_LENGTH_MAX + 1))).toContain(
      `at most ${EVALUATED_LENGTH_MAX} characters`,
    );
    const nested = (depth: number): Json => ({ data: `${"(".repeat(depth)}1${" ?: 2)".repeat(depth)}` });
    expect(await made("$eval(data)", nested(EVALUATED_DEFAULTS_MAX))).toBe("1");
    expect(await stopped("$eval(data)", nested(EVALUATED_DEFAULTS_MAX + 1))).toContain("times ?: or ??");
    expect(await made("$eval(\"$contains('a', /(?=a)/)\")")).toContain("no look-ahead");
  });

  it("bound pictures, and what they read", async () => {
    const zeros = (length: number) => "0".repeat(length);
    expect(await made(`$formatInteger(7, '${zeros(PICTURE_LENGTH_MAX)}')`)).toHaveLength(PICTURE_LENGTH_MAX + 2);
    const tooLong = `longer than ${PICTURE_LENGTH_MAX} characters`;
    for (const text of [
      "$formatInteger(7, P)",
      "$formatNumber(7, P)",
      "$fromMillis(7, P)",
      "$now(P)",
      "$toMillis('7', P)",
      "$parseInteger('7', P)",
    ]) {
      expect(await made(text.replace("P", `'${zeros(PICTURE_LENGTH_MAX + 1)}'`)), text).toContain(tooLong);
    }
    expect(await made(`$parseInteger('${zeros(PARSED_LENGTH_MAX - 1)}7', '0')`)).toBe("7");
    expect(await made(`$parseInteger('${zeros(PARSED_LENGTH_MAX)}7', '0')`)).toContain(
      `longer than ${PARSED_LENGTH_MAX}`,
    );
    expect(await stopped(`$toMillis('${"1".repeat(PARSED_LENGTH_MAX - 1)}x', '[Y][M][D][H][m]')`)).toContain(
      "undefined",
    );
    expect(await made("$fromMillis(0, '[Y,999]')")).toHaveLength(1_001);
    expect(await made("$fromMillis(0, '[Y,1000]')")).toContain("at most 3 digits");
    for (const format of ["$formatNumber(X, '0.0e0')", "$formatInteger(X, 'A')", "$formatInteger(-X, 'A')"]) {
      expect(await stopped(format.replace("X", `$number('0x${"F".repeat(300)}')`))).toContain("D1001");
    }
  });

  it("bound regular expressions, whatever the text", async () => {
    const input = { data: `${"a".repeat(500_000)}!` };
    expect(await stopped("$contains(data, /^(a+)+$/)", input)).toBe("false");
    expect(await stopped("$contains(data, /(a|aa)+$/)", input)).toBe("false");
    expect(await stopped("$match(data, /a.*b|a/)", input)).toContain("steps");
    expect(await stopped("[1..100].$contains($$.data, /^(a+)+$/)", input)).toContain("steps");
    expect(await made("$replace(data, /b(\\d)/, '$1')", { data: "ab1".repeat(10_000) })).toBe(
      JSON.stringify("a1".repeat(10_000)),
    );
  });

  it("end what would wait for ever", async () => {
    expect(await made("{'then': /x/}")).toContain("a member of an object can't be a regular expression");
    expect(await made("function($f){ {'then': $f} }($string)")).toContain("a member of an object can't be");
    expect(
      await made(
        "$match('a', function(){ ($m := function(){ {'match': 'a', 'start': 0, 'end': 1, 'groups': [], 'next': $m} }; $m()) })",
      ),
    ).toMatch(/^failed/);
  });
});

describe("what an expression can't reach", () => {
  it("is the event, which stays as it is", async () => {
    const input = JSON.parse('{"data":{"empty":[],"list":[[1]],"a":{"b":1}}}') as { data: Json };
    const before = JSON.stringify(input);
    for (const text of [
      "data.empty{'a': 1}",
      "($clone := function($x){ $x }; $$ ~> |data.a|{'b': 2}, 'c'|)",
      "data.list[]",
      "($x := data.list; $x ~> |$|{'y': 1}|)",
    ]) {
      await evaluate(text, input);
      expect(JSON.stringify(input), text).toBe(before);
      expect(Object.keys(input.data as object), text).toEqual(["empty", "list", "a"]);
      expect(Object.keys((input.data as { empty: Json[] }).empty), text).toEqual([]);
    }
  });

  it("is what objects inherit", async () => {
    for (const text of [
      "constructor",
      "data.__proto__",
      "data.toString",
      "$lookup(data, 'hasOwnProperty')",
      "data.a.length",
    ]) {
      expect(await made(text, { data: { a: "x" } }), text).toContain("undefined");
    }
    expect(await made("$ ~> |data|{'__proto__': {'polluted': 1}, 'constructor': 2}|", { data: {} })).toBe(
      '{"data":{"constructor":2}}',
    );
    expect(await made("{'__proto__': {'polluted': 1}}")).toBe('{"__proto__":{"polluted":1}}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("are the functions of the next evaluation", async () => {
    const attempts = [
      "$ ~> |$uppercase|{'implementation': $lowercase, 'signature': 1}|",
      "$ ~> |$uppercase.$spread().implementation|{'apply': 1, 'toString': 2}|",
      "$ ~> |$uppercase.$spread().signature|{'validate': 1}|",
      "($uppercase := $lowercase; $now := 5; $random := 1; $clone := 2)",
    ];
    for (const text of attempts) {
      await evaluate(text);
      expect(await made("[$uppercase('a'), ($p := $uppercase(?); $p('b')), $clone({'a': 1})]"), text).toBe(
        '["A","B",{"a":1}]',
      );
    }
  });

  it("is what the evaluation keeps for itself", async () => {
    expect(await made("[$exists($run), $exists($ run), ` run` ?? 1]").catch(String)).toMatch(/S\d{4}|\[false/);
    expect(await made("` run`() ?? 1", {})).toMatch(/^failed/);
  });
});
