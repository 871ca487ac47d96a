import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { drawChart, linearTicks, logTicks, tickText } from "./chart.ts";
import { glyphDots } from "./pixel-font.ts";
import { encodePng } from "./png.ts";
import { createRaster } from "./raster.ts";

describe("a PNG", () => {
  it("has its signature, its size, its checksums and its pixels", () => {
    const png = encodePng(2, 1, Uint8Array.from([255, 0, 0, 0, 0, 255]));
    expect(png.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
    expect(png.subarray(8, 33).toString("hex")).toBe("0000000d49484452000000020000000108020000007b40e8dd");
    const length = png.readUInt32BE(33);
    expect([...inflateSync(png.subarray(41, 41 + length))]).toEqual([0, 255, 0, 0, 0, 0, 255]);
    // A PNG's end is always these bytes.
    expect(png.subarray(-12).toString("hex")).toBe("0000000049454e44ae426082");
  });

  it("is refused when its pixels are not as many as its size says", () => {
    expect(() => encodePng(2, 2, new Uint8Array(11))).toThrow("2 x 2");
  });
});

describe("the font", () => {
  const shapeOf = (character: string) => {
    const rows = Array.from({ length: 8 }, () => [".", ".", ".", ".", "."]);
    glyphDots(character, (x, y) => void rows[y]?.splice(x, 1, "#"));
    return rows.map((row) => row.join(""));
  };

  it("has upright letters", () => {
    expect(shapeOf("F")).toEqual(["#####", "#....", "#....", "####.", "#....", "#....", "#....", "....."]);
    expect(shapeOf("7")).toEqual(["#####", "....#", "....#", "...#.", "..#..", ".#...", "#....", "....."]);
    expect(shapeOf("z")).toEqual([".....", ".....", "#####", "...#.", "..#..", ".#...", "#####", "....."]);
  });

  it("shows a question mark for what it lacks", () => {
    expect(shapeOf("µ")).toEqual(shapeOf("?"));
    expect(shapeOf("~")).toEqual(shapeOf("?"));
  });

  it("has a shape of its own for each character", () => {
    const characters = Array.from({ length: 0x7a - 0x20 + 1 }, (_, index) => String.fromCharCode(0x20 + index));
    expect(new Set(characters.map((character) => shapeOf(character).join("\n"))).size).toBe(characters.length);
  });
});

describe("a picture", () => {
  it("draws within its edges only", () => {
    const raster = createRaster(4, 4, [255, 255, 255]);
    raster.line({ x: -10, y: 2 }, { x: 10, y: 2 }, 1, [0, 0, 0]);
    raster.text("W", { x: 3, y: 0 }, { colour: [0, 0, 0], scale: 3 });
    expect(raster.pixels.length).toBe(4 * 4 * 3);
    expect([...raster.pixels.subarray(2 * 4 * 3, 2 * 4 * 3 + 3)]).toEqual([0, 0, 0]);
    expect([...raster.pixels.subarray(0, 3)]).toEqual([255, 255, 255]);
  });
});

describe("an axis", () => {
  it("has round numbers that reach as far as the values", () => {
    expect(linearTicks(10)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(linearTicks(731)).toEqual([0, 200, 400, 600, 800]);
    expect(linearTicks(0)).toEqual([0, 1]);
    expect(logTicks([1, 10_000])).toEqual([1, 10, 100, 1_000, 10_000]);
    expect(logTicks([30, 70])).toEqual([10, 100]);
    expect(tickText(1_000_000)).toBe("1,000,000");
  });
});

describe("a chart", () => {
  it("has the colour of each series, and is as wide whatever is in it", () => {
    const chart = {
      title: "Cost",
      x: { label: "rules", log: true },
      y: { label: "us" },
      series: [
        {
          name: "a",
          points: [
            { x: 1, y: 5 },
            { x: 100, y: 5 },
          ],
        },
        {
          name: "b",
          points: [
            { x: 1, y: 1 },
            { x: 100, y: 9 },
          ],
        },
      ],
    };
    const png = drawChart(chart);
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([960, 540]);
    const length = png.readUInt32BE(33);
    const pixels = inflateSync(png.subarray(41, 41 + length)).toString("hex");
    expect(pixels).toContain("0072b20072b20072b2");
    expect(pixels).toContain("d55e00d55e00d55e00");
  });
});
