import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, hydrated, test, unique } from "../fixtures";
import { finished, png } from "../pages/data";

// LIMN_VOC names a folder with images/ and annotations/ to use instead of a drawn set.
const own = process.env.LIMN_VOC;
let dir: string;

test.beforeAll(() => {
  dir = own ?? mkdtempSync(join(tmpdir(), "limn-voc-"));
  if (own) return;
  mkdirSync(join(dir, "images"));
  mkdirSync(join(dir, "annotations"));
  for (let n = 0; n < 12; n++) {
    writeFileSync(join(dir, "images", `Foto ${n} ü.png`), png(n, 200, 150));
    const box = (i: number) =>
      `<object><name>raccoon</name><bndbox><xmin>${5 + n + i * 20.5}</xmin><ymin>${7 + i}</ymin><xmax>${30 + n + i * 20.5}</xmax><ymax>${60 + i}</ymax></bndbox></object>`;
    writeFileSync(
      join(dir, "annotations", `Foto ${n} ü.xml`),
      `<annotation><filename>Foto ${n} ü.png</filename><size><width>200</width><height>150</height><depth>3</depth></size>${[0, 1, 2].slice(0, n % 4).map(box).join("")}</annotation>`,
    );
  }
});
test.afterAll(() => {
  if (!own) rmSync(dir, { recursive: true, force: true });
});

const files = (folder: string) => readdirSync(join(dir, folder)).sort().map((f) => join(dir, folder, f));

/** Every box of the annotation files, as "name x y w h" without folder. */
function wanted(): string[] {
  const pictures = Object.fromEntries(readdirSync(join(dir, "images")).map((f) => [f.replace(/\.[^.]+$/, ""), f]));
  return files("annotations")
    .flatMap((file) => {
      const xml = readFileSync(file, "utf8");
      const name = pictures[file.split("/").at(-1)!.replace(/\.xml$/, "")];
      return [...xml.matchAll(/<bndbox>([\s\S]*?)<\/bndbox>/g)].map(([, b]) => {
        const [x0, y0, x1, y1] = ["xmin", "ymin", "xmax", "ymax"].map((t) => Number(new RegExp(`<${t}>([^<]+)<`).exec(b)![1]));
        return line(name, [x0, y0, x1 - x0, y1 - y0]);
      });
    })
    .sort();
}

const line = (name: string, box: number[]) => `${name} ${box.map((v) => v.toFixed(2)).join(" ")}`;

test.describe("in the browser", () => {
  // The browser notes that the broken file was refused.
  test.use({ allowErrors: [/status of 415/] });

  test("photos are uploaded and Pascal VOC boxes imported in the browser, and come out as COCO", async ({ limn, admin, page, signIn, a11y }) => {
    test.setTimeout(180_000);
    const api = limn.api(admin.token);
    await signIn(page, admin);
    const name = unique("Raccoons");
    await page.goto("/projects/new");
    await hydrated(page);
    await page.getByLabel("Name").first().fill(name);
    await page.getByRole("button", { name: /next|continue/i }).click();
    await page.getByLabel("Category name").first().fill("raccoon");
    await page.getByRole("button", { name: /next|continue/i }).click();
    await page.getByRole("button", { name: /next|continue|skip/i }).first().click();
    await page.getByRole("button", { name: /create/i }).click();
    await page.waitForURL(/\/projects\/[0-9a-f-]{36}/);
    const id = /projects\/([0-9a-f-]{36})/.exec(page.url())![1];

    // A broken file never stops the rest.
    const bad = join(dir, "broken.png");
    if (!own) writeFileSync(bad, "this is text");
    await page.goto(`/projects/${id}`);
    await hydrated(page);
    await page.getByRole("button", { name: "Upload pictures" }).first().click();
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Choose files" }).first().click();
    await (await chooser).setFiles([...files("images"), ...(own ? [] : [bad])]);
    await expect
      .poll(async () => (await api.get(`/api/v1/projects/${id}`)).progress.total, { timeout: 120_000 })
      .toBe(files("images").length);
    if (!own) await expect(page.getByText("broken.png").first()).toBeVisible();

    await page.goto(`/projects/${id}`);
    await hydrated(page);
    await page.getByRole("button", { name: "Import", exact: true }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Pascal VOC").click();
    const pick = page.waitForEvent("filechooser");
    await dialog.getByRole("button", { name: "Choose files" }).click();
    await (await pick).setFiles(files("annotations"));
    await a11y(page);
    await dialog.getByRole("button", { name: "Import", exact: true }).click();
    await expect
      .poll(async () => (await api.get(`/api/v1/projects/${id}`)).progress.done, { timeout: 120_000 })
      .toBeGreaterThan(0);
    await expect(dialog.getByText(/label|box/i).first()).toBeVisible();

    await page.goto(`/projects/${id}`);
    await hydrated(page);
    await page.getByRole("button", { name: "Export", exact: true }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Export", exact: true }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("dialog").getByRole("link", { name: "Download" }).click({ timeout: 60_000 });
    const coco = JSON.parse(readFileSync(await (await download).path(), "utf8"));
    expect(coco.images).toHaveLength(files("images").length);
    const names = Object.fromEntries(coco.images.map((i: any) => [i.id, i.file_name.split("/").at(-1)]));
    expect(coco.annotations.map((a: any) => line(names[a.image_id], a.bbox)).sort()).toEqual(wanted());
  });
});

test("the same from the command line", async ({ limn, admin }) => {
  test.setTimeout(180_000);
  const name = unique("By command");
  limn.cli(["projects", "create", "--name", name, "--task", "detection"], admin.token);
  limn.cli(["import", "--project", name, "--format", "voc", join(dir, "images"), join(dir, "annotations")], admin.token);
  const out = join(limn.dataDir, "out.json");
  limn.cli(["export", "--project", name, "--format", "coco", "--out", out], admin.token);
  const coco = JSON.parse(readFileSync(out, "utf8"));
  const names = Object.fromEntries(coco.images.map((i: any) => [i.id, i.file_name.split("/").at(-1)]));
  expect(coco.annotations.map((a: any) => line(names[a.image_id], a.bbox)).sort()).toEqual(wanted());
});

test("a COCO file with faults brings in the rest and says what was wrong where", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  const project = await api.post("/api/v1/projects", { name: unique("Faults"), task: "detection" });
  for (const n of [1, 2]) await api.raw("POST", `/api/v1/projects/${project.id}/items?name=${n}.png`, new Uint8Array(png(n, 100, 80)));
  const text = JSON.stringify(
    {
      images: [
        { id: 0, file_name: "1.png", width: 100, height: 80 },
        { id: "two", file_name: "2.png", width: 100.0, height: 80 },
        { id: 3, file_name: "missing.png", width: 10, height: 10 },
      ],
      categories: [{ id: 0, name: "<script>alert(1)</script>" }],
      annotations: [
        { id: 0, image_id: 0, category_id: 0, bbox: [1, 2, 30, 40] },
        { id: 0, image_id: "two", category_id: 0, bbox: [90, 70, 30, 30] },
        { id: 2, image_id: 3, category_id: 0, bbox: [1, 1, 2, 2] },
        { id: 3, image_id: 0, category_id: 77, bbox: [1, 1, 2, 2] },
        { id: 4, image_id: 0, category_id: 0, bbox: [500, 500, 2, 2] },
      ],
    },
    null,
    1,
  );
  const upload = await api.post("/api/v1/uploads", { name: "faults.json", size: text.length });
  await fetch(`${limn.baseURL}/api/v1/uploads/${upload.id}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${admin.token}`, "upload-offset": "0" },
    body: text,
  });
  const job = await finished(api, await api.post(`/api/v1/projects/${project.id}/imports`, { format: "coco", uploads: [upload.id] }));
  expect(job.result.annotations_added).toBeGreaterThanOrEqual(1);
  expect(job.result.refused).toBeGreaterThanOrEqual(3);
  for (const entry of job.result.entries) expect(entry.message.length).toBeGreaterThan(10);
  await signIn(page, admin);
  await page.goto(`/jobs/${job.id}`);
  await hydrated(page);
  await expect(page.getByText("missing.png").first()).toBeVisible();
  await expect(page.getByText("faults.json").first()).toBeVisible();
});
