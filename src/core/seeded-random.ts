/** Numbers that look random and are the same for the same seed. Not for secrets. */

/** Numbers from 0 to below 1, drawn one after another. */
export type DrawRandom = () => number;

/** cyrb128 makes four words of the seed, sfc32 draws from them (PractRand; both in the public domain). */
export function seededRandom(seed: string): DrawRandom {
  let [a, b, c, d] = [0x6b4e3f21, 0x4f1bbcdc, 0x1d2a7e95, 0x2c1b3c6d];
  for (let at = 0; at < seed.length; at++) {
    const unit = seed.charCodeAt(at);
    a = b ^ Math.imul(a ^ unit, 597_399_067);
    b = c ^ Math.imul(b ^ unit, 2_869_860_233);
    c = d ^ Math.imul(c ^ unit, 951_274_213);
    d = a ^ Math.imul(d ^ unit, 2_716_044_179);
  }
  const draw = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  // The first draws still show the seed.
  for (let round = 0; round < 15; round++) draw();
  return draw;
}
