/** A picture to draw on: smooth lines, discs, rectangles and text in the dots of `pixel-font.ts`. */
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphDots } from "./pixel-font.ts";

export type Colour = readonly [red: number, green: number, blue: number];

export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  readonly line: (from: Point, to: Point, thickness: number, colour: Colour) => void;
  readonly disc: (at: Point, radius: number, colour: Colour) => void;
  /** `align`: where of the text `at` is; `vertical` turns it, to be read from below. */
  readonly text: (text: string, at: Point, options: TextOptions) => void;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface TextOptions {
  readonly colour: Colour;
  /** Pixels of one dot. */
  readonly scale: number;
  readonly align?: "left" | "centre" | "right";
  readonly vertical?: boolean;
}

const CHANNELS = 3;
const LETTER_GAP = 1;

export function textWidth(text: string, scale: number): number {
  return Math.max(0, text.length * (GLYPH_WIDTH + LETTER_GAP) - LETTER_GAP) * scale;
}

export function createRaster(width: number, height: number, background: Colour): Raster {
  const pixels = new Uint8Array(width * height * CHANNELS);
  for (let at = 0; at < pixels.length; at += CHANNELS) pixels.set(background, at);

  /** Lays a colour over a pixel, `cover` of it. */
  function blend(x: number, y: number, colour: Colour, cover: number): void {
    if (cover <= 0 || x < 0 || y < 0 || x >= width || y >= height) return;
    const at = (y * width + x) * CHANNELS;
    for (const [channel, value] of colour.entries()) {
      const below = pixels[at + channel] ?? 0;
      pixels[at + channel] = Math.round(below + (value - below) * Math.min(1, cover));
    }
  }

  /** Everything within `radius` of the stretch between two points, its edge one pixel wide. */
  function stroke(from: Point, to: Point, radius: number, colour: Colour): void {
    const [left, right] = [Math.min(from.x, to.x) - radius - 1, Math.max(from.x, to.x) + radius + 1];
    const [top, bottom] = [Math.min(from.y, to.y) - radius - 1, Math.max(from.y, to.y) + radius + 1];
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const squared = dx * dx + dy * dy;
    for (let y = Math.floor(top); y <= bottom; y += 1) {
      for (let x = Math.floor(left); x <= right; x += 1) {
        const along = squared === 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / squared;
        const nearest = Math.max(0, Math.min(1, along));
        const distance = Math.hypot(x - from.x - nearest * dx, y - from.y - nearest * dy);
        blend(x, y, colour, radius + 0.5 - distance);
      }
    }
  }

  return {
    width,
    height,
    pixels,
    line: (from, to, thickness, colour) => stroke(from, to, thickness / 2, colour),
    disc: (at, radius, colour) => stroke(at, at, radius, colour),
    text(text, at, { colour, scale, align = "left", vertical = false }) {
      const whole = textWidth(text, scale);
      const back = { left: 0, centre: whole / 2, right: whole }[align];
      const half = (GLYPH_HEIGHT * scale) / 2;
      for (const [index, character] of [...text].entries()) {
        const start = index * (GLYPH_WIDTH + LETTER_GAP) * scale - back;
        glyphDots(character, (dotX, dotY) => {
          const [along, across] = [start + dotX * scale, dotY * scale - half];
          for (let i = 0; i < scale; i += 1) {
            for (let j = 0; j < scale; j += 1) {
              const x = vertical ? at.x + across + j : at.x + along + i;
              const y = vertical ? at.y - along - i : at.y + across + j;
              blend(Math.round(x), Math.round(y), colour, 1);
            }
          }
        });
      }
    },
  };
}
