import { type Api, expect, hydrated, test, unique } from "../fixtures";
import { png } from "../pages/data";

const API = "/api/2.0/mlflow";
// Deleting a version that is in use is refused on purpose.
test.use({ allowErrors: [/409 \(Conflict\)/] });

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

/** Logs a run as a script would. */
async function logRun(api: Api, experiment: string, name: string, lr: string, steps: number, finish = true): Promise<string> {
  const made = await api.post(`${API}/runs/create`, { experiment_id: experiment, run_name: name, start_time: Date.now() - 60_000, user_id: "ana" });
  const run = made.run.info.run_id;
  const metrics = [];
  for (let step = 0; step < steps; step++) {
    metrics.push({ key: "loss", value: Math.exp(-step * Number(lr)) + 0.02 * Math.sin(step), timestamp: Date.now() - 60_000 + step * 100, step });
    metrics.push({ key: "val/accuracy", value: 1 - Math.exp(-step / 40), timestamp: Date.now() - 60_000 + step * 100, step });
  }
  for (let at = 0; at < metrics.length; at += 1000) await api.post(`${API}/runs/log-batch`, { run_id: run, metrics: metrics.slice(at, at + 1000) });
  await api.post(`${API}/runs/log-batch`, {
    run_id: run,
    params: [{ key: "lr", value: lr }, { key: "layers", value: "3" }, { key: "optimizer", value: "adam" }],
    tags: [{ key: "team", value: "vision" }, { key: "mlflow.source.name", value: "train.py" }],
  });
  if (finish) await api.post(`${API}/runs/update`, { run_id: run, status: "FINISHED", end_time: Date.now() });
  return run;
}

async function putFile(api: Api, experiment: string, run: string, path: string, bytes: Uint8Array): Promise<void> {
  const reply = await api.raw("PUT", `/api/2.0/mlflow-artifacts/artifacts/${experiment}/${run}/artifacts/${path}`, bytes);
  expect(reply.status).toBe(200);
}

test("without runs and models the pages say how the first come about", async ({ ownLimn, page, signIn, a11y, shots }) => {
  await signIn(page, ownLimn.createUser("new@example.org", "admin"), ownLimn.baseURL);
  // The lines that log the first run, with this server's address.
  await page.goto(`${ownLimn.baseURL}/experiments`);
  await hydrated(page);
  await expect(page.getByText("No run yet")).toBeVisible();
  await expect(page.getByText(`MLFLOW_TRACKING_URI=${ownLimn.baseURL}`)).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "experiments-empty");
  await page.goto(`${ownLimn.baseURL}/models`);
  await hydrated(page);
  await expect(page.getByText("No model yet")).toBeVisible();
  await shots(page, "models-empty");
});

test("runs are logged, found, charted, compared, registered, aliased and rolled back", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(150_000);
  const api = limn.api(admin.token);
  await signIn(page, admin);

  const name = unique("digits");
  const { experiment_id: experiment } = await api.post(`${API}/experiments/create`, { name });
  const text = new TextEncoder();
  const slow = await logRun(api, experiment, "slow", "0.01", 1500);
  const fast = await logRun(api, experiment, "fast", "0.2", 1500);
  await putFile(api, experiment, fast, "notes/readme.txt", text.encode("what came of it"));
  await putFile(api, experiment, fast, "conf.json", text.encode('{"a":[1,2]}'));
  await putFile(api, experiment, fast, "curve.png", new Uint8Array(png(3)));
  await putFile(api, experiment, fast, "model.pkl", new Uint8Array([0x80, 4, 46]));
  await putFile(api, experiment, fast, "requirements.txt", text.encode("numpy==2.1\n"));
  const { model: logged } = await api.post(`${API}/logged-models`, { experiment_id: experiment, name: "net", source_run_id: fast });
  await putFile(api, experiment, `models/${logged.info.model_id}`, "MLmodel", text.encode("flavors:\n  sklearn:\n"));

  // The list, and the table of runs.
  await page.goto("/experiments");
  await hydrated(page);
  await a11y(page, toasts);
  await shots(page, "experiments");
  await page.getByRole("link", { name }).click();
  await page.waitForURL(/\/experiments\/\d+$/);
  const rows = page.getByRole("region", { name: "Runs" }).locator("tbody tr");
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: "loss", exact: true }).click();
  await page.waitForURL(/DESC/);
  await page.getByRole("button", { name: "loss", exact: true }).click();
  await page.waitForURL(/ASC/);
  await expect(rows.first()).toContainText("fast");
  await page.getByLabel("Filter", { exact: true }).fill("params.lr = 0.2");
  await expect(page.locator(".runs-mistake")).toContainText("a text in quotes");
  await page.getByLabel("Filter", { exact: true }).fill("params.lr = '0.2'");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(rows).toHaveCount(1);
  // The same view by its address.
  await page.goto(page.url());
  await hydrated(page);
  await expect(rows).toHaveCount(1);
  await expect(page.getByLabel("Filter", { exact: true })).toHaveValue("params.lr = '0.2'");
  await page.getByLabel("Filter", { exact: true }).fill("");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("checkbox", { name: /optimizer/ }).uncheck();
  await expect(page.getByRole("columnheader", { name: "optimizer" })).toHaveCount(0);
  await page.keyboard.press("Escape");
  await a11y(page, toasts);
  await shots(page, "runs");

  // A run under way shows up and grows by itself.
  const live = await logRun(api, experiment, "live", "0.05", 10, false);
  await page.goto(`/experiments/${experiment}`);
  await hydrated(page);
  const liveRow = rows.filter({ hasText: "live" });
  await expect(liveRow).toContainText("Running");
  await api.post(`${API}/runs/update`, { run_id: live, status: "FINISHED", end_time: Date.now() });
  await expect(liveRow).toContainText("Finished", { timeout: 15_000 });

  // Two side by side.
  await rows.filter({ hasText: "slow" }).getByRole("checkbox").check();
  await rows.filter({ hasText: "fast" }).getByRole("checkbox").check();
  await page.getByRole("link", { name: "Compare" }).click();
  await page.waitForURL(/compare\?runs=/);
  const table = page.getByRole("table", { name: "Runs side by side" });
  await expect(table.getByRole("row").filter({ hasText: "lr" })).toContainText("0.2");
  await expect(table.getByRole("row").filter({ hasText: "layers" })).toHaveCount(0);
  await page.getByLabel("Only what differs").uncheck();
  await expect(table.getByRole("row").filter({ hasText: "layers" })).toHaveCount(1);
  await expect(page.locator(".line__path")).toHaveCount(4);
  // A line a run over the axes that differ; others are chosen, and stand in the address.
  const parallel = page.getByRole("group", { name: "Parallel coordinates" });
  await expect(parallel.locator(".parallel__run")).toHaveCount(2);
  // Drawn, too: a link of HTML within an SVG is there and not seen.
  for (const line of await parallel.locator(".parallel__line").all()) await expect(line).toBeVisible();
  const axes = parallel.locator(".parallel__title");
  await expect(axes.filter({ hasText: /^lr/ })).toBeVisible();
  await expect(axes.filter({ hasText: /^layers/ })).toHaveCount(0);
  await a11y(page, toasts);
  await shots(page, "compare-runs");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Axes" }).click();
  await page.getByRole("checkbox", { name: /layers/ }).check();
  await page.waitForURL(/axes=/);
  await expect(axes.filter({ hasText: /^layers/ })).toBeVisible();
  await page.goto(page.url());
  await hydrated(page);
  await expect(axes.filter({ hasText: /^layers/ })).toBeVisible();

  // One run: overview, charts, the machine, files.
  await api.post(`${API}/runs/log-metric`, { run_id: slow, key: "system/cpu_utilization_percentage", value: 41.5, timestamp: Date.now(), step: 0 });
  // Many metrics come a part at a time; a search finds those that are not here yet.
  const layers = Array.from({ length: 80 }, (_, n) => ({ key: `layer_${String(n).padStart(2, "0")}/norm`, value: n, timestamp: Date.now(), step: 0 }));
  await api.post(`${API}/runs/log-batch`, { run_id: slow, metrics: layers });
  await page.goto(`/runs/${slow}`);
  await hydrated(page);
  const metrics = page.getByRole("table", { name: "Metrics" });
  await expect(metrics).not.toContainText("system/");
  await expect(metrics.locator("tbody tr")).toHaveCount(50);
  await page.getByRole("button", { name: "Show 50 more" }).click();
  await expect(metrics).toContainText("layer_79/norm");
  await page.getByLabel("Search metrics").fill("LAYER_7");
  await expect(metrics.locator("tbody tr")).toHaveCount(10);
  await page.getByLabel("Search metrics").fill("none of these");
  await expect(page.getByText("No metric matches.")).toBeVisible();
  await page.getByRole("link", { name: /^Charts/ }).click();
  const drawn = page.locator(".charts__one");
  await expect(drawn.first()).toBeVisible();
  await expect(async () => {
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    expect(await drawn.count()).toBeGreaterThan(24);
  }).toPass({ timeout: 20_000 });
  await page.getByLabel("Search metrics").fill("layer_79");
  await expect(drawn).toHaveCount(1);
  await page.getByRole("link", { name: /^System/ }).click();
  await page.waitForURL(/\/system$/);
  await expect(page.getByText("system/cpu_utilization_percentage").first()).toBeVisible();
  await page.goto(`/runs/${fast}`);
  await hydrated(page);
  await expect(page.getByRole("heading", { name: "fast" })).toBeVisible();
  const code = page.locator(".run-code");
  await expect(code).toContainText("train.py");
  await code.getByText("requirements.txt").click();
  await expect(code.getByText("numpy==2.1")).toBeVisible();
  await page.getByRole("button", { name: "Actions of the run" }).click();
  await page.getByRole("menuitem", { name: "Name and notes" }).click();
  await page.getByRole("dialog").getByLabel("Notes").fill("Learns **fast**.");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".prose strong")).toHaveText("fast");
  await a11y(page, toasts);
  await shots(page, "run");
  await page.getByRole("link", { name: "Charts" }).click();
  await expect(page.locator(".line__path").first()).toBeVisible();
  const before = await page.locator(".line__path").first().getAttribute("d");
  await page.getByLabel("Smoothing").fill("0.9");
  await page.getByText("Logarithm").click();
  await page.waitForURL(/smooth=0\.9/);
  await expect(page.locator(".line__raw").first()).toBeAttached();
  expect(await page.locator(".line__path").first().getAttribute("d")).not.toBe(before);
  // 1,500 points are thinned out on the server.
  expect(before!.split("L").length).toBeLessThan(650);
  await a11y(page, toasts);
  await shots(page, "run-charts");
  await page.getByRole("link", { name: "Files", exact: true }).click();
  await page.getByRole("button", { name: /notes/ }).click();
  await page.getByRole("button", { name: /readme\.txt/ }).click();
  await expect(page.getByText("what came of it")).toBeVisible();
  await page.getByRole("button", { name: /conf\.json/ }).click();
  await expect(page.locator(".run-files__text")).toContainText('"a": [');
  await page.getByRole("button", { name: /model\.pkl/ }).click();
  await expect(page.getByText("Limn never runs it").last()).toBeVisible();
  // A model that was logged has files of its own.
  await page.getByRole("button", { name: /MLmodel/ }).click();
  await page.waitForURL(/model=m-/);
  await expect(page.locator(".run-files__text")).toContainText("sklearn");
  await page.getByRole("button", { name: /curve\.png/ }).click();
  await expect.poll(() => page.locator(".run-files__picture").evaluate((i: HTMLImageElement) => i.naturalWidth)).toBe(480);
  await a11y(page, toasts);
  await shots(page, "run-files");

  // Registered, and again; an alias moves and goes back.
  const model = unique("Digits model");
  const dialog = page.getByRole("dialog");
  for (const run of [slow, fast]) {
    if (run === slow) await putFile(api, experiment, slow, "weights.bin", text.encode("slow"));
    await page.goto(`/runs/${run}`);
    await hydrated(page);
    await page.getByRole("button", { name: "Register a model" }).click();
    await dialog.getByLabel("Model").fill(model);
    await dialog.getByRole("button", { name: "Register", exact: true }).click();
    await expect(dialog).toBeHidden();
  }
  await page.goto("/models");
  await hydrated(page);
  await a11y(page, toasts);
  await shots(page, "models");
  await page.getByRole("link", { name: model }).click();
  await expect(page.getByRole("link", { name: "Version 2", exact: true })).toBeVisible();
  const point = async (version: number) => {
    await page.getByRole("button", { name: `Actions of version ${version}` }).click();
    await page.getByRole("menuitem", { name: "Point an alias here" }).click();
    await dialog.getByLabel("Alias", { exact: true }).fill("champion");
    await dialog.getByRole("button", { name: "Point it there" }).click();
    await expect(dialog).toBeHidden();
  };
  const versionRow = (n: number) => page.getByRole("table", { name: "Versions" }).getByRole("row").filter({ hasText: `Version ${n}` });
  await point(1);
  await expect(versionRow(1)).toContainText("champion");
  await point(2);
  await expect(versionRow(2)).toContainText("champion");
  await page.getByRole("button", { name: "Actions of champion" }).click();
  await page.getByRole("menuitem", { name: "Roll back" }).click();
  await expect(versionRow(1)).toContainText("champion");
  const side = page.getByRole("table", { name: "Metrics side by side" });
  await expect(side.getByRole("columnheader", { name: "Version 1" })).toBeVisible();
  await expect(side.getByRole("row").filter({ hasText: "val/accuracy" }).getByRole("cell")).toHaveCount(2);
  const moves = await api.get(`/api/v1/models/${encodeURIComponent(model)}/alias-moves`);
  expect(moves.map((m: any) => m.number)).toEqual([1, 2, 1]);
  // What is in use is not deleted.
  await page.getByRole("button", { name: "Actions of version 1" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(dialog.getByText(/in use: it is champion/)).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Edit" }).click();
  await dialog.getByRole("textbox").fill("# Reads digits\n\nFails on *sevens*.");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".prose em")).toHaveText("sevens");
  await page.getByLabel("Key of a new tag").fill("owner");
  await page.getByLabel("Value of a new tag").fill("vision");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.locator(".model-tag")).toContainText("owner");
  await a11y(page, toasts);
  await shots(page, "model");
  // Models with the same tag.
  await page.getByRole("link", { name: "vision", exact: true }).click();
  await page.waitForURL(/\/models\?q=/);
  await expect(page.getByRole("link", { name: model })).toBeVisible();
  await page.getByLabel("Search models").fill("tags.owner = 'nobody'");
  await expect(page.getByText("No model matches")).toBeVisible();
  // Words do as well, of versions too: what was found by a version leads to it. What is no filter says why.
  await page.getByLabel("Search models").fill("owner:visi");
  await expect(page.getByRole("link", { name: model })).toBeVisible();
  await page.getByLabel("Search models").fill("tags.owner = vision");
  await expect(page.getByText(/a text in quotes/)).toBeVisible();
  await page.getByLabel("Search models").fill(`alias:champ "${model}"`);
  await page.getByRole("link", { name: "Version 1", exact: true }).click();
  await page.waitForURL(/\/versions\/1$/);
  await page.goto(`/models/${encodeURIComponent(model)}`);
  await hydrated(page);
  await page.getByRole("link", { name: "Version 2", exact: true }).click();
  await expect(page.getByText("One file is a pickle")).toBeVisible();
  await expect(page.getByRole("table", { name: "Files" })).toContainText("notes/readme.txt");
  await a11y(page, toasts);
  await shots(page, "model-version");
  await page.getByRole("link", { name: "fast" }).click();
  await page.waitForURL(new RegExp(`/runs/${fast}`));

  // Into the bin.
  await page.goto(`/experiments/${experiment}`);
  await hydrated(page);
  await rows.filter({ hasText: "live" }).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Bin" }).click();
  await expect(rows).toHaveCount(2);
  await page.getByLabel("Which runs").selectOption("bin");
  await expect(rows).toHaveCount(1);
});

test("runs are grouped by a parameter", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const { experiment_id: experiment } = await api.post(`${API}/experiments/create`, { name: unique("sweep") });
  for (let n = 0; n < 6; n++) await logRun(api, experiment, `try ${n + 1}`, ["0.01", "0.1", "0.2"][n % 3], 20 + n);
  await signIn(page, admin);
  await page.goto(`/experiments/${experiment}`);
  await hydrated(page);
  await page.getByLabel("Group by").selectOption({ label: "By lr" });
  await page.waitForURL(/group=p%3Alr/);
  const table = page.getByRole("table", { name: "Groups of runs" });
  const groups = table.getByRole("rowheader");
  await expect(groups).toHaveText(["0.01", "0.1", "0.2"]);
  // By the mean of a metric, the best first; a group opens to its runs, which can be ticked and compared.
  await table.getByRole("button", { name: "loss" }).click();
  await table.getByRole("button", { name: "loss" }).click();
  await expect(groups.first()).toHaveText("0.2");
  await groups.first().getByRole("button").click();
  const members = table.locator(".runs-members li");
  await expect(members).toHaveCount(2);
  for (const n of [0, 1]) await members.nth(n).getByRole("checkbox").check();
  await expect(page.getByRole("link", { name: "Compare" })).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "runs-grouped");
  await page.setViewportSize({ width: 1440, height: 900 });
  // The view has a link.
  await page.reload();
  await hydrated(page);
  await expect(groups.first()).toHaveText("0.2");
  await page.getByLabel("Group by").selectOption({ label: "Not grouped" });
  await expect(page.getByRole("table", { name: "Runs", exact: true })).toBeVisible();
});
