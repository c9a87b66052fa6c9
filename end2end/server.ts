// A Limn server of our own: a temporary data directory, a free port, and a database made for it alone.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const READY = /Limn is ready at (http:\/\/\S+)/;

export type Role = "admin" | "manager" | "reviewer" | "labeler" | "viewer";
export type User = { email: string; password: string; role: Role; token: string };

/** The server's program: LIMN_BIN, or what `cargo xtask build` left. */
export function program(): string {
  const path = process.env.LIMN_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/limn");
  if (!existsSync(path)) throw new Error(`no server at ${path}: run \`cargo xtask build\`, or set LIMN_BIN`);
  return path;
}

/** A port nobody listens on. The server keeps it over restarts, so that open pages find it again. */
async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === "object" ? done(address.port) : fail(new Error("no port"))));
    });
  });
}

/** Runs one SQL statement as the test cluster's superuser. */
function psql(statement: string): void {
  // The server's programs and the client may lie in different folders.
  const beside = join(process.env.LIMN_PG_BIN ?? "", "psql");
  const tool = process.env.LIMN_PG_BIN && existsSync(beside) ? beside : "psql";
  execFileSync(tool, ["-q", "-X", "-d", process.env.LIMN_TEST_PG!, "-c", statement], { stdio: ["ignore", "ignore", "pipe"] });
}

export class LimnServer {
  readonly dataDir = mkdtempSync(join(tmpdir(), "limn-e2e-"));
  /** A folder that datastores may lie in. */
  readonly storesDir = mkdtempSync(join(tmpdir(), "limn-e2e-stores-"));
  baseURL = "";
  /** Everything the server printed, for the report of a failed test. */
  log = "";
  private child?: ChildProcess;
  private databaseName?: string;
  private databaseURL?: string;
  private port = 0;

  private constructor(private readonly env: Record<string, string>) {}

  /** `env`: settings of this server beside those that all tests have. */
  static async start(database: "sqlite" | "postgres", env: Record<string, string> = {}): Promise<LimnServer> {
    const server = new LimnServer(env);
    try {
      if (database === "postgres") server.createDatabase();
      server.port = await freePort();
      await server.launch();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  private createDatabase(): void {
    this.databaseName = `e2e_${process.pid}_${Date.now()}_${Math.floor(Math.random() * 1e6)}`;
    psql(`CREATE DATABASE ${this.databaseName}`);
    const url = new URL(process.env.LIMN_TEST_PG!);
    url.pathname = `/${this.databaseName}`;
    this.databaseURL = url.toString();
  }

  /** `--data-dir` and, on PostgreSQL, `--database-url`: what every command on this server's data needs. */
  private get where(): string[] {
    return ["--data-dir", this.dataDir, ...(this.databaseURL ? ["--database-url", this.databaseURL] : [])];
  }

  private async launch(): Promise<void> {
    const child = spawn(program(), ["serve", ...this.where, "--addr", `127.0.0.1:${this.port}`], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        RUST_BACKTRACE: "1",
        LIMN__DATASTORES__FOLDERS: this.storesDir,
        LIMN__NETWORK__ALLOW: "127.0.0.0/8",
        ...this.env,
      },
    });
    this.child = child;
    await new Promise<void>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`the server was not ready after 30 s:\n${this.log}`)), 30_000);
      let heard = "";
      const listen = (chunk: Buffer) => {
        this.log += chunk;
        if (heard === "ready") return;
        heard += chunk;
        const match = READY.exec(heard);
        if (!match) return;
        this.baseURL = match[1].replace(/\/$/, "");
        heard = "ready";
        clearTimeout(timer);
        done();
      };
      child.stdout!.on("data", listen);
      child.stderr!.on("data", (chunk: Buffer) => (this.log += chunk));
      child.once("error", fail);
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        fail(new Error(`the server ended (${signal ?? code}) before it was ready:\n${this.log}`));
      });
    });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(timer);
  }

  /** Asks the server to finish (SIGTERM), then starts it again on the same data and port. */
  async restart(): Promise<void> {
    await this.end("SIGTERM");
    await this.launch();
  }

  /** Kills the server as a power cut would. Start it again with `launchAgain`. */
  async kill9(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Starts the server after `kill9`, on the same data and port. */
  async launchAgain(): Promise<void> {
    await this.launch();
  }

  /** Runs `limn admin ARGS` on this server's data and returns what it printed. */
  admin(args: string[], input = ""): string {
    return execFileSync(program(), ["admin", args[0], ...this.where, ...args.slice(1)], {
      cwd: ROOT,
      input,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "pipe"],
    }).trim();
  }

  /** Runs `limn ARGS` as a client of this server (LIMN_URL, LIMN_TOKEN) and returns what it printed. */
  cli(args: string[], token: string): string {
    return execFileSync(program(), args, {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, LIMN_URL: this.baseURL, LIMN_TOKEN: token },
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  /** Makes a user and an API token for it. */
  createUser(email: string, role: Role, password = "correct horse battery staple"): User {
    this.admin(["create-user", "--email", email, "--role", role, "--password-stdin"], `${password}\n`);
    const token = this.admin(["create-token", "--email", email, "--name", "end2end"]);
    return { email, password, role, token };
  }

  async stop(): Promise<void> {
    await this.end("SIGTERM");
    if (this.databaseName) psql(`DROP DATABASE IF EXISTS ${this.databaseName} WITH (FORCE)`);
    rmSync(this.dataDir, { recursive: true, force: true });
    rmSync(this.storesDir, { recursive: true, force: true });
  }
}
