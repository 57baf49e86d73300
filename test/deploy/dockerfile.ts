/** One instruction of a Dockerfile, its lines joined. */
export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions of each stage; what stands before the first is left out. */
export function stagesOf(text: string): Instruction[][] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line)!;
    if (name === 'FROM') stages.push([]);
    stages.at(-1)!.push({ name: name!, rest: rest! });
  }
  return stages;
}

/** What is unsafe or does not give the same twice, as hadolint tells it, which can't be had from a registry. */
export function problemsIn(text: string): string[] {
  const stages = stagesOf(text);
  const names = new Set<string>();
  const problems: string[] = [];
  for (const [from, ...instructions] of stages) {
    const [image, , name] = from!.rest.split(/\s+/);
    if (!names.has(image!) && !/^[^:]+:[^:]*\d+\.\d+\.\d+[^:]*$/.test(image!))
      problems.push(`${image} is no exact version`);
    if (name !== undefined) names.add(name);
    for (const { name: instruction, rest } of instructions) {
      if (instruction === 'ADD') problems.push(`ADD ${rest}: COPY does`);
      if (/\b(curl|wget)\b|\bsudo\b/.test(rest))
        problems.push(`${rest}: fetches what no checksum holds, or is root`);
      const installs = instruction === 'RUN' && rest.includes('apt-get install');
      if (installs && !/--no-install-recommends/.test(rest))
        problems.push(`${rest}: installs recommendations`);
      if (installs && !/rm -rf \/var\/lib\/apt\/lists\/\*/.test(rest))
        problems.push(`${rest}: leaves lists behind`);
      if (['CMD', 'ENTRYPOINT'].includes(instruction) && !rest.startsWith('['))
        problems.push(`${instruction} ${rest}: a shell keeps signals to itself`);
    }
  }
  return problems;
}

/** The instructions of an image: of the last stage, and those that it builds upon. */
export function imageOf(text: string): Instruction[] {
  const stages = stagesOf(text);
  const above = (stage: Instruction[]): Instruction[] => {
    const [image] = stage[0]!.rest.split(/\s+/);
    const base = stages.find(([from]) => from!.rest.endsWith(` AS ${image}`));
    return [...(base ? above(base) : []), ...stage];
  };
  return above(stages.at(-1)!);
}
