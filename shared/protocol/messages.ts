import { z } from 'zod';

/** Raised whenever a message changes in a way that an older peer would misread. */
export const PROTOCOL = 5;

const count = z.int().nonnegative();
const id = z.string().min(1).max(200);
const text = z.string().max(2000);
const tagged = { term: count, step: count };

/** A run of elements of one flat array, float32 but for the components; its bytes are the frame after the header. */
const bucket = { offset: count, length: z.int().positive(), crc: count };

/** The loss components are float64, all else float32. */
const statePart = {
  array: z.enum(['parameters', 'firstMoment', 'secondMoment', 'ema', 'components']),
  ...bucket,
};

/** A node of the tree over slices. */
const subtree = { level: z.int().min(0).max(30), index: count };

/** Memory that the coordinator made: so many buffers of `gradientBytes`. */
const offeredMemory = z.strictObject({ path: text, count: z.int().positive().max(4096) });

/** Commits that a worker names to prove where its state comes from. */
export const MAX_LINKS = 16;
/** The state after so many committed steps, by the chain's link. */
const link = z.strictObject({ step: count, chain: id });

/** Numbers of one optimizer step, computed once and applied by every replica. */
export const updateSchema = z.strictObject({
  step: count,
  clipFactor: z.number(),
  learningRate: z.number(),
  correction1: z.number(),
  correction2: z.number(),
  beta1: z.number(),
  beta2: z.number(),
  epsilon: z.number(),
  weightDecay: z.number(),
  ema: z.number(),
});

const evaluateTask = z.strictObject({
  kind: z.literal('evaluate'),
  task: count,
  pass: count,
  first: count,
  count: z.int().positive(),
});
const sampleTask = z.strictObject({
  kind: z.literal('sample'),
  task: count,
  first: count,
  count: z.int().positive(),
});
export const taskSchema = z.discriminatedUnion('kind', [evaluateTask, sampleTask]);
export type Task = z.infer<typeof taskSchema>;

/** How a GPU is doing, as far as it says: `use` is a share of the time, memory in bytes. */
const gpuUseSchema = z.strictObject({
  use: z.number().min(0).max(1).optional(),
  memoryUsed: count.optional(),
  memory: count.optional(),
  celsius: z.number().min(-273).max(1000).optional(),
});
export type GpuUse = z.infer<typeof gpuUseSchema>;

/** What a worker says. Payload frames are named in the comment. */
export const fromWorkerSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    protocol: count,
    version: text,
    pid: count,
    /** Sessions that this process has lost: a hello that comes twice, or late, is no new one. */
    attempt: count,
    host: text,
    /** Where it could share memory with the coordinator: see `SharedMemory`. */
    machine: id.optional(),
    device: text,
    lanes: z.int().positive().max(1024),
    repeatable: z.boolean(),
    /** Number of the local worker that the coordinator started, if it did. */
    local: count.optional(),
    /** The state that it holds from before: of which run, and the links of its last commits, the newest last. */
    replica: z.strictObject({ run: id, links: z.array(link).min(1).max(MAX_LINKS) }).optional(),
  }),
  /** Part of the state that the coordinator asked for. Frame: its bytes. */
  z.strictObject({ type: z.literal('state'), ...tagged, ...statePart }),
  /** All of the state of `step` was sent. */
  z.strictObject({ type: z.literal('state-end'), ...tagged, chain: id }),
  /** The replica holds the state of `step` committed steps. */
  z.strictObject({ type: z.literal('ready'), ...tagged }),
  /** It has opened the memory that it was offered. */
  z.strictObject({ type: z.literal('attached'), term: count }),
  /** One bucket of the sum over a subtree's slices. Frame: its bytes, encoded. */
  z.strictObject({ type: z.literal('gradient'), ...tagged, ...subtree, ...bucket }),
  /** The sum over a subtree's slices is whole in this buffer of the memory that it was offered, and stays there until the commit. */
  z.strictObject({ type: z.literal('sum'), ...tagged, ...subtree, place: count }),
  /** Frames: time step of each example (int32), then its log-likelihood in nats (float64), in slice order. */
  z.strictObject({ type: z.literal('examples'), ...tagged, ...subtree }),
  z.strictObject({ type: z.literal('nonfinite'), ...tagged, slice: count, tensor: text }),
  /** The update of step - 1 is applied; `hash` of the state every so many steps. */
  z.strictObject({ type: z.literal('applied'), ...tagged, hash: id.optional() }),
  /** Frame: float64 results (evaluate: elbo of each example) or the images (sample). */
  z.strictObject({ type: z.literal('result'), ...tagged, task: count }),
  z.strictObject({ type: z.literal('alive'), doing: text, gpu: gpuUseSchema.optional() }),
  z.strictObject({ type: z.literal('leave'), reason: text }),
]);
export type FromWorker = z.infer<typeof fromWorkerSchema>;

/** What the coordinator says. */
export const toWorkerSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('welcome'),
    run: id,
    term: count,
    slot: count,
    /** The resolved configuration, checked again by the worker. */
    config: z.unknown(),
    shape: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
    numClasses: z.int().min(2),
    numTestExamples: count,
    /** Digest of the parameters' names and shapes: both sides must build the same model. */
    model: id,
    /** To a worker on the same machine: where it may leave its sums, and where it finds the averages. */
    memory: z.strictObject({ sums: offeredMemory, averages: offeredMemory }).optional(),
    /** How gradients are written: both sides must name it alike. */
    codec: text,
  }),
  z.strictObject({ type: z.literal('refuse'), reason: text }),
  /** Part of the state. Frame: its bytes. */
  z.strictObject({ type: z.literal('state'), ...tagged, ...statePart }),
  /** All of the state of `step` was sent. */
  z.strictObject({ type: z.literal('state-end'), ...tagged, chain: id }),
  /** The coordinator lost its own state: the worker's is wanted. */
  z.strictObject({ type: z.literal('fetch-state'), term: count }),
  /** Slices [begin, end) of a step to compute. Frame: their examples. */
  z.strictObject({ type: z.literal('deal'), ...tagged, begin: count, end: count }),
  /** One bucket of the averaged gradient. Frame: its bytes, encoded. */
  z.strictObject({ type: z.literal('average'), ...tagged, ...bucket }),
  /** All of the averaged gradient is in this buffer of the memory that was offered, with this stamp, until the worker has applied it or is put out. */
  z.strictObject({ type: z.literal('average-placed'), ...tagged, place: count, stamp: count }),
  /**
   * The step counts: apply the average, and observe the examples. Frames: time step of each example of the batch (int32), then
   * its log-likelihood in nats (float64), in slice order.
   */
  z.strictObject({
    type: z.literal('commit'),
    ...tagged,
    update: updateSchema,
    /** Of the two frames. */
    crcs: z.tuple([count, count]),
    chain: id,
    hash: z.boolean(),
    /** Subtrees whose sums came from this worker; absent where that is of no use to it. */
    counted: z.array(z.strictObject(subtree)).max(64).optional(),
  }),
  /** Frame: the examples (evaluate) or nothing (sample). */
  z.strictObject({ type: z.literal('task'), ...tagged, task: taskSchema }),
  z.strictObject({ type: z.literal('alive') }),
  /** The coordinator does not know this worker (any more): say hello again. */
  z.strictObject({ type: z.literal('rejoin'), reason: text }),
  z.strictObject({ type: z.literal('stop'), reason: text }),
]);
export type ToWorker = z.infer<typeof toWorkerSchema>;
