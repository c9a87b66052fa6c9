import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, hydrated, test } from "../fixtures";
import { finished } from "../pages/data";
import { program } from "../server";

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

const folder = mkdtempSync(join(tmpdir(), "limn-e2e-catalogue-"));
const catalogue = join(folder, "catalogue.toml");

/** What the publisher has, and the answers that it holds back. */
const files = new Map<string, Buffer>();
const held: (() => void)[] = [];
let holding = false;
let publisher: Server;

function idx(dimensions: number[], bytes: Buffer): Buffer {
  const head = Buffer.alloc(4 + 4 * dimensions.length);
  head.set([0, 0, 8, dimensions.length]);
  dimensions.forEach((n, i) => head.writeUInt32BE(n, 4 + 4 * i));
  return Buffer.concat([head, bytes]);
}

/** Pictures of 28 x 28 pixels: bars for the one category, discs for the other. */
function pictures(count: number): Buffer {
  const out = Buffer.alloc(count * 784);
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < 28; y++) {
      for (let x = 0; x < 28; x++) {
        const on = n % 2 ? Math.hypot(x - 14, y - 14) < 6 + (n % 5) : Math.abs(x - 8 - (n % 9)) < 3;
        out[n * 784 + y * 28 + x] = on ? 255 - n : n * 3;
      }
    }
  }
  return idx([count, 28, 28], out);
}

const labels = (count: number) => idx([count], Buffer.from([...Array(count).keys()].map((n) => n % 2)));

function record(slug: string, name: string, url: string, wrong = false): string {
  const file = (path: string) => {
    const bytes = files.get(path)!;
    const digest = createHash("sha256").update(wrong ? "another file" : bytes).digest("hex");
    return `[[dataset.files]]\nname = "${path}"\nurls = ["${url}/${path}"]\nbytes = ${bytes.length}\ndigest = "sha256:${digest}"\n`;
  };
  return `[[dataset]]
slug = "${slug}"
name = "${name}"
summary = "Bars and discs, 28 x 28 pixels, grey"
task = "image_classification"
tags = ["small", "shapes"]
licence = { name = "CC0-1.0", url = "https://creativecommons.org/publicdomain/zero/1.0/" }
home = "https://example.org/${slug}"
citation = "Somebody (2026). ${name}."
card = """
Pictures of **bars** and **discs**, made for a test.

- 40 pictures to train with
- 2 categories
"""
${file("images.gz")}${file("labels.gz")}[dataset.loader.idx]
categories = ["bar", "disc"]
parts = [{ images = "images.gz", labels = "labels.gz", split = "train" }]
`;
}

function table(url: string): string {
  return `[[dataset]]
slug = "towns"
name = "Towns"
summary = "Three towns and how many live there"
task = "tabular_regression"
licence = { name = "As the publisher states" }
home = "https://example.org/towns"
card = "A table of towns."
[[dataset.files]]
name = "towns.csv"
urls = ["${url}/towns.csv"]
[dataset.loader.csv]
header = true
separator = ";"
parts = [{ file = "towns.csv", to = "towns.csv" }]
`;
}

test.use({
  env: { LIMN__CATALOGUE__FILE: catalogue },
  // A name that is taken is a wrong field, on purpose.
  allowErrors: [/409 \(Conflict\)|403 \(Forbidden\)|404 \(Not Found\)/],
});

test.beforeAll(async () => {
  files.set("images.gz", gzipSync(pictures(40)));
  files.set("labels.gz", gzipSync(labels(40)));
  files.set("towns.csv", Buffer.from("town;people\nUlm;126000\nBad Urach;12000\nTübingen;92000\n"));
  publisher = createServer((request, response: ServerResponse) => {
    const bytes = files.get((request.url ?? "/").slice(1));
    if (!bytes) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": bytes.length });
    if (!holding) return void response.end(bytes);
    response.write(bytes.subarray(0, bytes.length / 2));
    held.push(() => response.end(bytes.subarray(bytes.length / 2)));
  });
  await new Promise<void>((done) => publisher.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}`;
  writeFileSync(catalogue, [record("shapes", "Shapes", url), record("forged", "Forged shapes", url, true), table(url)].join("\n"));
});

test.afterAll(() => {
  publisher.close();
  publisher.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

test("an open dataset is found, read about, added with progress, and added again", async ({ ownLimn, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const admin = ownLimn.createUser("admin@example.org", "admin");
  const api = ownLimn.api(admin.token);
  await signIn(page, admin, ownLimn.baseURL);

  // From the list of datasets.
  await page.goto(`${ownLimn.baseURL}/data`);
  await hydrated(page);
  await page.getByRole("link", { name: "Open datasets" }).click();
  await page.waitForURL(/\/data\/catalogue$/);
  await expect(page.getByRole("heading", { level: 1, name: "Open datasets" })).toBeVisible();
  await expect(page.getByText("3 datasets")).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "catalogue-list");

  // Filters, by mouse and by keys.
  const search = page.getByRole("searchbox", { name: "Search open datasets" });
  await search.fill("cc0 bars");
  await expect(page.getByText("2 datasets")).toBeVisible();
  await page.getByLabel("Kind").selectOption("tabular");
  await expect(page.getByText("No open dataset matches")).toBeVisible();
  await shots(page, "catalogue-nothing");
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await page.getByLabel("Task").selectOption("tabular_regression");
  await expect(page.getByText("1 dataset", { exact: true })).toBeVisible();
  await expect(page.getByText("No digest published")).toBeVisible();
  await page.getByLabel("Task").selectOption("");
  await page.getByRole("link", { name: "Shapes", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/data\/catalogue\/shapes$/);

  // What there is to know of it.
  await expect(page.getByText("made for a test")).toBeVisible();
  await expect(page.getByRole("cell", { name: /images\.gz/ })).toBeVisible();
  await expect(page.getByRole("link", { name: /CC0-1\.0/ })).toHaveAttribute("href", /creativecommons/);
  await expect(page.getByText("Digest known")).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "catalogue-record");

  // Added, with progress.
  holding = true;
  await page.getByLabel("Name", { exact: true }).fill("My shapes");
  await page.getByRole("button", { name: /^Add, fetching/ }).click();
  await expect(page.getByText(/Fetching images\.gz \(.* of .*B\)/)).toBeVisible({ timeout: 15_000 });
  await a11y(page, toasts);
  await shots(page, "catalogue-fetching");
  holding = false;
  while (held.length) held.pop()!();
  await expect(page.getByText("Version 1 holds 40 files.")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText("All files have the digests that are published.")).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "catalogue-added");
  await page.getByRole("link", { name: "Open the dataset" }).click();
  await page.waitForURL(/\/data\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("heading", { level: 1, name: "My shapes" })).toBeVisible();
  await expect(page.getByText("Somebody (2026). Shapes.")).toBeVisible();
  const id = /data\/([0-9a-f-]{36})/.exec(page.url())![1];
  const [version] = await api.get(`/api/v1/datasets/${id}/versions`);
  expect([version.files, version.counts.splits, version.counts.labels]).toEqual([40, [0, 40, 0, 0], 40]);
  await shots(page, "catalogue-dataset");
  await page.goto(`${ownLimn.baseURL}/data/${id}/lineage`);
  await hydrated(page);
  await expect(page.getByText("Open dataset", { exact: true })).toBeVisible();
  await page.goto(`${ownLimn.baseURL}/data/${id}/explore`);
  await hydrated(page);
  await expect(page.getByText("disc").first()).toBeVisible({ timeout: 30_000 });
  await shots(page, "catalogue-explore");

  // Once more: nothing new. And a name that is another one's.
  await page.goto(`${ownLimn.baseURL}/data/catalogue/shapes`);
  await hydrated(page);
  await expect(page.getByText("Added already")).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill("My shapes");
  await page.getByRole("button", { name: /^Add, fetching/ }).click();
  await expect(page.getByText(/Nothing has changed: version 1 has this very content already/)).toBeVisible({ timeout: 30_000 });
  expect(await api.get(`/api/v1/datasets/${id}/versions`)).toHaveLength(1);
  await api.post("/api/v1/datasets", { name: "Taken" });
  await page.reload();
  await hydrated(page);
  await page.getByLabel("Name", { exact: true }).fill("taken");
  await page.getByRole("button", { name: /^Add, fetching/ }).click();
  await expect(page.getByText(/There is a dataset called “taken” already/)).toBeVisible();
  await shots(page, "catalogue-taken");

  // A file that is not the one that was published.
  await page.goto(`${ownLimn.baseURL}/data/catalogue/forged`);
  await hydrated(page);
  await page.getByRole("button", { name: /^Add, fetching/ }).click();
  await expect(page.getByText(/is not the file that was published/)).toBeVisible({ timeout: 30_000 });
  await a11y(page, toasts);
  await shots(page, "catalogue-forged");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("button", { name: /^Add, fetching/ })).toBeVisible();
  expect((await api.get("/api/v1/datasets")).rows.map((d: any) => d.name).sort()).toEqual(["My shapes", "Taken"]);

  // A record that is not there.
  await page.goto(`${ownLimn.baseURL}/data/catalogue/none`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
});

test("by the command line, and not by everybody", async ({ ownLimn, page, signIn, a11y, shots }) => {
  const admin = ownLimn.createUser("admin@example.org", "admin");
  expect(ownLimn.cli(["catalogue", "list"], admin.token).split("\n")).toHaveLength(3);
  // Not `cli`, which waits: the publisher lives in this process.
  const run = async (args: string[]) => {
    const env = { ...process.env, LIMN_URL: ownLimn.baseURL, LIMN_TOKEN: admin.token };
    return (await promisify(execFile)(program(), args, { env })).stdout.trim();
  };
  const line = await run(["catalogue", "add", "towns", "--name", "All towns"]);
  expect(line).toMatch(/version 1\t1 files/);
  const api = ownLimn.api(admin.token);
  const outcome = JSON.parse(await run(["catalogue", "add", "shapes", "--json"]));
  expect([outcome.files, outcome.is_new, outcome.fetched.length]).toEqual([40, true, 2]);
  const job = await finished(api, await api.post("/api/v1/catalogue/towns/add", {}));
  expect(job.result.is_new).toBe(true);
  expect(() => ownLimn.cli(["catalogue", "add", "none"], admin.token)).toThrow(/no such record/);

  const lena = ownLimn.createUser("lena@example.org", "labeler");
  expect((await ownLimn.api(lena.token).raw("GET", "/api/v1/catalogue")).status).toBe(403);
  await signIn(page, lena, ownLimn.baseURL);
  await page.goto(`${ownLimn.baseURL}/data`);
  await hydrated(page);
  await expect(page.getByRole("link", { name: "Open datasets" })).toHaveCount(0);
  await page.goto(`${ownLimn.baseURL}/data/catalogue`);
  await hydrated(page);
  await expect(page.getByText("Only managers and admins add open datasets")).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "catalogue-not-yours");
});
