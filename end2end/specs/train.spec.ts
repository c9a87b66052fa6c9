import { type Api, expect, hydrated, test, unique } from "../fixtures";
import { drawn, finished, makeProject } from "../pages/data";

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

/** A picture with a bright rectangle, and where that is: small, so that the network is too. */
function picture(seed: number): { bytes: Uint8Array; rect: { x: number; y: number; w: number; h: number } } {
  const rect = { x: 4 + ((seed * 13) % 60), y: 4 + ((seed * 7) % 42), w: 28, h: 22 };
  const bytes = drawn(96, 72, (x, y) => {
    const inside = x >= rect.x && x < rect.x + rect.w && y >= rect.y && y < rect.y + rect.h;
    return inside ? [235, 170 + seed, 60] : [40 + x, 50 + y, 90 + seed];
  });
  return { bytes: new Uint8Array(bytes), rect };
}

/** A dataset of pictures whose bright rectangle is labeled. */
async function dataset(api: Api, name: string, items: number): Promise<{ id: string; version: string }> {
  const project = await makeProject(api, name, { items: 0, categories: ["raccoon", "fox"] });
  for (let seed = 0; seed < items; seed++) {
    const { bytes, rect } = picture(seed);
    const response = await api.raw("POST", `/api/v1/projects/${project.id}/items?name=${encodeURIComponent(`photo ${seed + 1}.png`)}`, bytes);
    if (!response.ok) throw new Error(await response.text());
    const { item } = await response.json();
    const now = await api.get(`/api/v1/items/${item.id}/annotations`);
    const saved = await api.put(`/api/v1/items/${item.id}/annotations`, {
      change_id: crypto.randomUUID(),
      base_revision: now.revision,
      upserts: [{ id: crypto.randomUUID(), category_id: project.categories[seed % 2].id, kind: "box", rect }],
    });
    await api.post(`/api/v1/items/${item.id}/submit`, { revision: saved.revision });
  }
  const made = await api.post("/api/v1/datasets", { name, kind: "images" });
  const job = await api.post(`/api/v1/datasets/${made.id}/versions`, { from: "project", project_id: project.id });
  return { id: made.id, version: (await finished(api, job)).result.version_id };
}

// No steps at all are refused on purpose.
test.use({ allowErrors: [/422 \(Unprocessable Entity\)/] });

test("without data the page of trainings says what to do", async ({ ownLimn, page, signIn, a11y, shots }) => {
  await signIn(page, ownLimn.createUser("new@example.org", "admin"), ownLimn.baseURL);
  await page.goto(`${ownLimn.baseURL}/train`);
  await hydrated(page);
  await expect(page.getByText("No dataset to learn from")).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "train-empty");
});

test("a network is trained on a version, watched, looked at, and asked", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(180_000);
  const api = limn.api(admin.token);
  await signIn(page, admin);

  const name = unique("Raccoons");
  const made = await dataset(api, name, 24);
  await page.goto(`/data/${made.id}`);
  await hydrated(page);
  await page.getByRole("link", { name: "Train a model" }).click();
  await page.waitForURL(/\/train\?dataset=/);
  await expect(page.getByText("24 pictures, 24 boxes, 2 categories")).toBeVisible();
  // What is not possible says why and cannot be chosen.
  await expect(page.getByRole("radio", { name: /^Detection/ })).toBeChecked();
  const off = page.getByRole("radio", { name: /^Classification/ });
  await expect(off).toBeDisabled();
  await expect(page.getByText(/Version 1 has no categories of whole pictures/).first()).toBeVisible();
  await expect(page.getByRole("radio", { name: /^Instance segmentation/ })).toBeDisabled();
  await expect(page.getByLabel("Experiment", { exact: true })).toHaveValue(name);
  await expect(page.getByLabel("Model", { exact: true })).toHaveValue(`${name} detection`);
  await a11y(page, toasts);
  await shots(page, "train");
  // A private dataset's pictures are shown to the studio only when that is asked for.
  await expect(page.getByLabel("Keep example pictures")).not.toBeChecked();
  await page.getByLabel("Keep example pictures").check();
  await page.getByLabel("Steps").fill("0");
  await page.getByRole("button", { name: "Start the training" }).click();
  await expect(page.getByText("A training makes 1 to 1000000 steps", { exact: false })).toBeVisible();
  await page.getByLabel("Steps").fill("40");
  await page.getByRole("button", { name: "Start the training" }).click();

  // The run says by itself when it is through, and what came of it.
  await page.waitForURL(/\/runs\/[0-9a-f]{32}$/);
  const run = /runs\/([0-9a-f]{32})/.exec(page.url())![1];
  await expect(page.getByRole("table").filter({ has: page.getByRole("rowheader", { name: "raccoon" }) }).first()).toBeVisible({ timeout: 240_000 });
  await expect(page.getByRole("region", { name: "Confusion matrix" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Examples" })).toBeVisible();
  const example = page.locator(".example img").first();
  await example.scrollIntoViewIfNeeded();
  await expect.poll(() => example.evaluate((i: HTMLImageElement) => i.naturalWidth)).toBe(480);
  await a11y(page, toasts);
  await shots(page, "trained");
  await page.getByRole("link", { name: "Charts" }).click();
  await expect(page.getByRole("heading", { name: "loss", exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Overview" }).click();

  // What came of it, and asking it. The report moves what is below it once it is there.
  await expect(page.getByRole("region", { name: "Confusion matrix" })).toBeVisible();
  await page.getByRole("link", { name: `${name} detection, version 1` }).first().click();
  await page.waitForURL(/\/models\/.*\/versions\/1$/);
  await expect(page.getByText("model.limn").first()).toBeVisible();
  const asked = await api.raw("POST", `/api/v1/models/${encodeURIComponent(`${name} detection`)}/versions/1/predict?min_score=0`, picture(3).bytes);
  expect(asked.status).toBe(200);
  const said = await asked.json();
  expect([said.task, said.width, said.height]).toEqual(["detection", 96, 72]);
  expect(Array.isArray(said.boxes)).toBe(true);
  const logged = await api.get(`/api/2.0/mlflow/runs/get?run_id=${run}`);
  expect(logged.run.info.status).toBe("FINISHED");
  expect(logged.run.inputs.dataset_inputs[0].dataset.digest).toBe((await api.get(`/api/v1/versions/${made.version}`)).digest);

  // A long one is watched, and cancelled.
  await page.goto(`/train?version=${made.version}`);
  await hydrated(page);
  await page.getByLabel("Steps").fill("100000");
  await page.getByRole("button", { name: "Start the training" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f]{32}$/);
  await expect(page.getByRole("img", { name: /^Training/ })).toBeVisible();
  await expect(page.getByText(/Step \d+ of 100000/).first()).toBeVisible({ timeout: 120_000 });
  await shots(page, "train-running");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(page.getByText("Killed").first()).toBeVisible({ timeout: 60_000 });
});
