import { candidates } from './candidates.js';
import type { EngineName, Provider } from './engine.js';
import { proveEngine, type Proof } from './proof.js';

/** What this process is asked to try, as JSON in its one argument. */
export interface ProbeRequest {
  readonly engine: EngineName;
  readonly provider: Provider;
  readonly gpu: number;
  readonly threads: number;
}

/** The last line that it prints, as JSON. */
export type ProbeAnswer =
  | ({ readonly passes: true; readonly description: string } & Proof)
  | { readonly passes: false; readonly reason: string };

/** A process of its own, because native libraries end one that goes wrong. */
async function probe({ engine: name, provider, ...start }: ProbeRequest): Promise<ProbeAnswer> {
  const candidate = candidates.find((each) => each.engine === name && each.provider === provider)!;
  try {
    const engine = await candidate.start({ ...start, software: true });
    return { passes: true, description: engine.description, ...(await proveEngine(engine)) };
  } catch (error) {
    return { passes: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

const answer = await probe(JSON.parse(process.argv[2]!) as ProbeRequest);
process.stdout.write(`\n${JSON.stringify(answer)}\n`, () => process.exit());
