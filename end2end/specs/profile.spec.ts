// Profiles of dataset versions: of tables with their drift, of images with their labels.
import { type Api, expect, hydrated, test, unique } from "../fixtures";
import { finished, makeProject } from "../pages/data";

const COLOURS = ["red", "green", "blue", "violet"];

/** Rows whose numbers move by `shift`. */
function rows(from: number, to: number, shift = 0): string {
  let text = "id,weight,colour,seen,note,\"name, <b>bold</b>\"\n";
  for (let i = from; i < to; i++) {
    const weight = i % 11 === 0 ? "" : (Math.sin(i) * 10 + 40 + shift).toFixed(2);
    const day = `2024-${String(1 + (i % 12)).padStart(2, "0")}-${String(1 + (i % 28)).padStart(2, "0")}`;
    text += `${i},${weight},${COLOURS[(i * i) % 4]},${day},note ${i} of some length,${i % 2 ? "x" : "<i>y</i>"}\n`;
  }
  return text;
}

async function upload(api: Api, base: string, token: string, name: string, text: string): Promise<string> {
  const made = await api.post("/api/v1/uploads", { name, size: text.length });
  await fetch(`${base}/api/v1/uploads/${made.id}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${token}`, "upload-offset": "0", "content-type": "application/offset+octet-stream" },
    body: text,
  });
  return made.id;
}

/** Waits for the profile's job. */
async function profiled(api: Api, version: string): Promise<any> {
  await expect.poll(async () => (await api.get(`/api/v1/versions/${version}/profile`)).job !== null, { timeout: 30_000 }).toBe(true);
  await finished(api, (await api.get(`/api/v1/versions/${version}/profile`)).job);
  return api.get(`/api/v1/versions/${version}/profile`);
}

test("the columns of a table are told, found, opened and compared with another version", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(180_000);
  const api = limn.api(admin.token);
  const dataset = await api.post("/api/v1/datasets", { name: unique("Scales"), kind: "tabular" });
  const id = dataset.id;
  const register = async (name: string, text: string, mode: string) => {
    const file = await upload(api, limn.baseURL, admin.token, name, text);
    const job = await api.post(`/api/v1/datasets/${id}/versions`, { from: "uploads", uploads: [file], mode });
    return (await finished(api, job)).result.version_id;
  };
  const one = await register("scales.csv", rows(0, 400) + "1,2\n", "add");
  const first = await profiled(api, one);
  expect(first.profile.tables[0].profile.rows).toBe(401);
  const two = await register("more.csv", rows(400, 800, 25), "add");
  const second = await profiled(api, two);
  expect([second.profile.tables[0].profile.rows, second.job.result.new_files]).toEqual([801, 1]);
  const statistics = await api.get(`/api/v1/versions/${two}/statistics`);
  expect([statistics.num_examples, statistics.partial]).toEqual([801, false]);

  await signIn(page, admin);
  await page.goto(`/data/${id}`);
  await hydrated(page);
  await page.getByRole("link", { name: "Profile", exact: true }).click();
  await expect(page.getByText("Computed on 100 % of 801 rows.")).toBeVisible();
  // Text of the data stays text.
  await expect(page.getByText("name, <b>bold</b>").first()).toBeVisible();
  await expect(page.getByText("some rows have more or fewer cells").first()).toBeVisible();
  await a11y(page);
  await shots(page, "profile-table");

  const list = page.getByRole("list", { name: "Columns" });
  const weight = list.getByRole("button", { name: /weight/ });
  await weight.click();
  await expect(weight).toHaveAttribute("aria-expanded", "true");
  await expect(list.getByText("Kurtosis")).toBeVisible();
  await list.getByRole("button", { name: /colour/ }).click();
  await a11y(page);
  await shots(page, "profile-column");
  await page.getByLabel("Find a column").fill("col");
  await expect(list.getByRole("button")).toHaveCount(1);
  await page.getByLabel("Find a column").fill("nothing like it");
  await expect(page.getByText("No column matches")).toBeVisible();
  await page.getByLabel("Find a column").fill("");
  await page.getByLabel("Type").selectOption({ label: "Only float" });
  await expect(list.getByRole("button")).toHaveCount(1);

  await page.getByLabel("Compare with").selectOption({ label: "Version 1" });
  await expect(page.getByText("Drift since version 1")).toBeVisible();
  const row = page.getByRole("row", { name: /^weight Strong drift/ });
  await expect(row).toBeVisible();
  await a11y(page);
  await shots(page, "profile-drift");

  // The page to take away is whole and holds no markup of the data.
  const report = await api.raw("GET", `/api/v1/versions/${two}/profile.html`);
  const html = await report.text();
  expect(html).toContain("801 rows");
  expect(html).not.toContain("<i>y</i>");
  expect(html).not.toContain("<script");
});

test("images of a version are measured, with what is labeled in them", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Measured"), { items: 5 });
  const items = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
  for (const [n, row] of items.slice(0, 3).entries()) {
    const item = row.item;
    const now = await api.get(`/api/v1/items/${item.id}/annotations`);
    const saved = await api.put(`/api/v1/items/${item.id}/annotations`, {
      change_id: crypto.randomUUID(),
      base_revision: now.revision,
      upserts: [0, 1].map((k) => ({
        id: crypto.randomUUID(),
        category_id: project.categories[(n + k) % 2].id,
        kind: "box",
        rect: { x: 30 + 150 * k, y: 40, w: 60 + 40 * n, h: 70 },
      })),
    });
    await api.post(`/api/v1/items/${item.id}/submit`, { revision: saved.revision });
  }
  const dataset = await api.post("/api/v1/datasets", { name: unique("Pictures"), kind: "images" });
  const job = await api.post(`/api/v1/datasets/${dataset.id}/versions`, {
    from: "project",
    project_id: project.id,
    statuses: ["done", "todo"],
  });
  const version = (await finished(api, job)).result.version_id;
  const { profile } = await profiled(api, version);
  expect([profile.images.images, profile.images.labels.objects, profile.images.labels.unlabeled]).toEqual([5, 6, 2]);

  await signIn(page, admin);
  await page.goto(`/data/${dataset.id}/profile`);
  await hydrated(page);
  await expect(page.getByText("Computed on 100 % of 5 images.")).toBeVisible();
  await expect(page.getByText("Without a label: 2")).toBeVisible();
  await expect(page.getByRole("img", { name: "Centres of objects over the image" })).toBeVisible();
  await a11y(page);
  await shots(page, "profile-images");
});
