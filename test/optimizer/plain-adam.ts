import type { Update } from '../../shared/optimizer/update.js';

export interface State {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  readonly ema: Float32Array;
}

/** The update of `Update`'s doc comment, one element after the other, each operation rounded to float32. */
export function plainAdam(state: State, update: Update): void {
  const r = Math.fround;
  const [clipFactor, rate, c1, c2] = [
    update.clipFactor,
    update.learningRate,
    update.correction1,
    update.correction2,
  ].map(r);
  const [b1, b2, oneMinusB1, oneMinusB2] = [
    update.beta1,
    update.beta2,
    1 - update.beta1,
    1 - update.beta2,
  ].map(r);
  const [epsilon, weightDecay, ema, oneMinusEma] = [
    update.epsilon,
    update.weightDecay,
    update.ema,
    1 - update.ema,
  ].map(r);
  for (let i = 0; i < state.parameters.length; i++) {
    const g = r(state.gradient[i] * clipFactor);
    const m = r(r(b1 * state.firstMoment[i]) + r(oneMinusB1 * g));
    const v = r(r(b2 * state.secondMoment[i]) + r(oneMinusB2 * r(g * g)));
    const old = state.parameters[i];
    const mean = r(r(m * c1) / r(r(Math.sqrt(r(v * c2))) + epsilon));
    const p = r(old - r(rate * r(mean + r(weightDecay * old))));
    state.firstMoment[i] = m;
    state.secondMoment[i] = v;
    state.parameters[i] = p;
    state.ema[i] = r(r(ema * state.ema[i]) + r(oneMinusEma * p));
  }
}

/** Floats in (-scale, scale) that are the same everywhere: a linear congruential generator. */
export function fillEvenly(array: Float32Array, seed: number, scale: number): void {
  let word = seed;
  for (let i = 0; i < array.length; i++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    array[i] = scale * (word / 2 ** 31 - 1);
  }
}
