import { TINY_DIFFWAVE, TINY_TRANSFORMER, TINY_UNET, tinyModelOf, type TinyModel } from './tiny-model.js';

const pixels = { shape: [2, 2, 2], numClasses: 8 } as const;
const letters = { shape: [1, 8, 1], numClasses: 28 } as const;
const clip = { shape: [1, 8, 1], numClasses: 256 } as const;
const upscale = (base: number, more: object = {}) => ({ kind: 'upscale', upscale: { base, ...more } });

/** A tiny model of each kind that differs in how examples are taken apart or put together. */
export const KINDS: Readonly<Record<string, TinyModel>> = {
  'images without stages': tinyModelOf({ network: TINY_UNET }, pixels),
  'stages, data parametrisation': tinyModelOf({ ...upscale(2), network: TINY_UNET }, pixels),
  'stages whose last is not full': tinyModelOf({ ...upscale(3), network: TINY_UNET }, pixels),
  'stages, direct parametrisation': tinyModelOf(
    { ...upscale(2, { parametrization: 'direct' }), network: TINY_UNET },
    pixels,
  ),
  'stages with classes of their own': tinyModelOf(
    { ...upscale(2, { map: 'augment' }), network: TINY_UNET },
    pixels,
  ),
  text: tinyModelOf({ network: TINY_TRANSFORMER }, letters),
  'text with a context': tinyModelOf({ network: TINY_TRANSFORMER }, { ...letters, numContext: 3 }),
  'vowels first': tinyModelOf(
    { ...upscale(2, { map: 'augment-text8' }), network: TINY_TRANSFORMER },
    { ...letters, numContext: 2 },
  ),
  'text left to right': tinyModelOf({ kind: 'arm', network: TINY_TRANSFORMER }, letters),
  'text left to right with a context': tinyModelOf(
    { kind: 'arm', network: TINY_TRANSFORMER },
    { ...letters, numContext: 3 },
  ),
  'text in any order, permuted': tinyModelOf({ kind: 'permuted', network: TINY_TRANSFORMER }, letters),
  'audio, logistic mixture': tinyModelOf({ output: 'logistic', mixtures: 3, network: TINY_DIFFWAVE }, clip),
  'audio in 16-bit stages': tinyModelOf(
    { ...upscale(16, { parametrization: 'direct' }), network: TINY_DIFFWAVE },
    { ...clip, numClasses: 65_536 },
  ),
  'audio left to right': tinyModelOf({ kind: 'arm', network: TINY_DIFFWAVE }, clip),
  'pixels, RGB logistic': tinyModelOf(
    { output: 'logistic-rgb', mixtures: 3, network: TINY_UNET },
    { shape: [2, 2, 3], numClasses: 256 },
  ),
};

/** Those whose variables may be generated in any order, several at a time. */
export const ANY_ORDER = Object.entries(KINDS).filter(
  ([, { description }]) => description.networkShape.factorization === 'any-order',
);
