import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import chromium from '@sparticuz/chromium';
import { temporaryFolder } from '../data/temporary.js';

const PATIENCE_MS = 30_000;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A headless Chromium, spoken to over a pipe in its own protocol; killed when the test ends. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (message: Message) => void>();
  readonly #heard: ((message: Message) => void)[] = [];
  #numSent = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    let rest = '';
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (data: string) => {
      const messages = (rest + data).split('\0');
      rest = messages.pop()!;
      for (const text of messages) this.#hear(JSON.parse(text) as Message);
    });
  }

  static async start(t: TestContext): Promise<Browser> {
    const profile = await temporaryFolder(t);
    const own = ['--remote-debugging-pipe', '--headless=shell', '--no-sandbox', `--user-data-dir=${profile}`];
    const quiet = [
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--no-first-run',
      '--no-zygote',
    ];
    const child = spawn(
      await chromium.executablePath(),
      [...own, ...quiet, '--disable-background-networking'],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
        // Of LANG=C it makes a language that its own Intl refuses.
        env: { ...process.env, LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8', LANGUAGE: 'en_US' },
      },
    );
    const gone = new Promise((resolve) => child.once('exit', resolve));
    // Its profile can be removed only once it is gone.
    t.after(async () => {
      child.kill('SIGKILL');
      await gone;
    });
    return new Browser(child);
  }

  async open(url: string, view: View = {}): Promise<Tab> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(this, sessionId as string);
    this.#heard.push((message) => tab.hear(message));
    await tab.open(url, view);
    return tab;
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#numSent;
    (this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), PATIENCE_MS);
      this.#pending.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result!);
      });
    });
  }

  #hear(message: Message): void {
    if (message.id === undefined) return this.#heard.forEach((hear) => hear(message));
    this.#pending.get(message.id)?.(message);
    this.#pending.delete(message.id);
  }
}

export interface View {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

export class Tab {
  readonly #browser: Browser;
  readonly #session: string;
  /** Errors of scripts and of the content policy, failed requests, by what the console said. */
  readonly problems: string[] = [];
  /** The addresses that were asked for. */
  readonly requests: string[] = [];

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  hear({ sessionId, method, params }: Message): void {
    if (sessionId !== this.#session) return;
    const { exceptionDetails, entry, request } = (params ?? {}) as {
      exceptionDetails?: { text: string; exception?: { description?: string } };
      entry?: { level: string; text: string; url?: string };
      request?: { url: string };
    };
    if (method === 'Runtime.exceptionThrown')
      this.problems.push(exceptionDetails!.exception?.description ?? exceptionDetails!.text);
    if (method === 'Log.entryAdded' && entry!.level === 'error')
      this.problems.push(`${entry!.text} ${entry!.url ?? ''}`);
    if (method === 'Network.requestWillBeSent') this.requests.push(request!.url);
  }

  async open(url: string, { width = 1280, height = 900, dark = false }: View): Promise<void> {
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility'])
      await this.#send(`${domain}.enable`);
    await this.#send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: width < 600,
    });
    const value = dark ? 'dark' : 'light';
    await this.#send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
    await this.#send('Page.navigate', { url });
  }

  /** What an expression comes to in the page; a promise is waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    const { exceptionDetails, result } = answer as {
      exceptionDetails?: { exception?: { description?: string } };
      result: { value: T };
    };
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) {
      if (performance.now() > deadline)
        throw new Error(`never came true: ${expression}; ${this.problems.join('; ')}`);
      await sleep(50);
    }
  }

  /** The text of the element that a selector finds. */
  text(selector: string): Promise<string> {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`);
  }

  /** Clicks in the middle of the element that a selector finds. */
  async click(selector: string): Promise<void> {
    const { x, y } = await this.evaluate<{ x: number; y: number }>(
      `(() => {
        const element = document.querySelector(${JSON.stringify(selector)});
        element.scrollIntoView({ block: 'center' });
        const { x, y, width, height } = element.getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2 };
      })()`,
    );
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.#send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
  }

  async press(key: string, code: string, keyCode: number): Promise<void> {
    const event = { key, code, windowsVirtualKeyCode: keyCode, ...(key === 'Enter' && { text: '\r' }) };
    await this.#send('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
    await this.#send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }

  /** Roles and names as a screen reader is told. */
  async accessible(): Promise<{ role: string; name: string }[]> {
    const { nodes } = (await this.#send('Accessibility.getFullAXTree')) as unknown as {
      nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
    };
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => ({ role: role?.value ?? '', name: name?.value ?? '' }));
  }

  /** A PNG of the whole page. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#send('Page.captureScreenshot', { captureBeyondViewport: true });
    return Buffer.from(data as string, 'base64');
  }

  #send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.#browser.send(method, params, this.#session);
  }
}
