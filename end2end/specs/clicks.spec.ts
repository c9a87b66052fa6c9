// Segment by clicks: a pair of networks is brought and chosen, the tool comes with it, clicks and boxes become objects.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawn, makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { decoder, encoder } from "../pages/onnx";
import { expect, hydrated, test, unique } from "../fixtures";

const W = 480;
const H = 360;

/** Two bright squares on a dark ground. */
const picture = () =>
  new Uint8Array(
    drawn(W, H, (x, y) => ((x >= 60 && x < 180 && y >= 60 && y < 180) || (x >= 300 && x < 420 && y >= 120 && y < 240) ? [250, 250, 250] : [20, 20, 20])),
  );

test("a network is chosen, and finds objects by clicks and a box", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const name = unique("sam");
  const folder = mkdtempSync(join(tmpdir(), "limn-pair-"));
  try {
    const files = { "encoder.onnx": encoder(), "decoder.onnx": decoder() };
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, file), bytes);
    limn.cli(["model", "import", "--name", name, ...Object.keys(files).map((f) => join(folder, f))], admin.token);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const project = await makeProject(api, unique("Clicks"), { task: "segmentation", items: 0 });
  const added = await api.raw("POST", `/api/v1/projects/${project.id}/items?name=squares.png`, picture());
  expect(added.ok).toBe(true);
  const stored = async () => (await api.get(`/api/v1/projects/${project.id}/items`)).rows[0].annotations;
  await signIn(page, admin);

  // Without a network there is no such tool.
  const label = new LabelPage(page);
  await label.open(project.id);
  await expect(page.getByRole("button", { name: "Cut out an object" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Segment by clicks" })).toHaveCount(0);

  await page.goto(`/projects/${project.id}/assist`);
  await hydrated(page);
  await page.getByLabel("Objects are found by").selectOption(`${name}/1`);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await a11y(page);
  await shots(page, "clicks-settings");
  await page.setViewportSize({ width: 1440, height: 900 });

  await label.open(project.id);
  const box = (await label.stage.boundingBox())!;
  const m = 2 * Math.min(48, Math.max(8, 0.06 * Math.min(box.width, box.height)));
  const k = Math.min(8, (box.width - m) / W, (box.height - m) / H);
  const at = (x: number, y: number): [number, number] => [box.x + (box.width - W * k) / 2 + x * k, box.y + (box.height - H * k) / 2 + y * k];
  const proposal = page.getByTestId("proposal");
  await page.keyboard.press("1");
  await page.keyboard.press("Shift+n");
  await expect(page.getByTestId("smart-bar")).toBeVisible();
  await page.mouse.click(...at(120, 120));
  await expect(proposal).toHaveAttribute("aria-busy", "false");
  await expect(proposal).toContainText("px");
  await a11y(page);
  await shots(page, "clicks-proposal");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(1);

  // The other one by a box, with a click that is taken back.
  await page.mouse.move(...at(290, 110));
  await page.mouse.down();
  await page.mouse.move(...at(430, 250), { steps: 6 });
  await page.mouse.up();
  await page.mouse.click(...at(360, 180));
  await page.keyboard.press("Backspace");
  await expect(proposal).toHaveAttribute("aria-busy", "false");
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(2);
  await label.saved();
  await expect.poll(async () => (await stored()).length).toBe(2);
  const near = (found: number, right: number) => expect(Math.abs(found - right)).toBeLessThan(15);
  for (const [n, left, top] of [[0, 60, 60], [1, 300, 120]]) {
    const { kind, mask } = (await stored())[n];
    expect(kind).toBe("mask");
    [mask.x - left, mask.y - top, mask.width - 120, mask.height - 120].forEach((apart) => near(apart, 0));
  }

  // Both cards come alive when the page is loaded anew with the assist on.
  await api.patch(`/api/v1/projects/${project.id}/assist`, { enabled: true });
  await page.goto(`/projects/${project.id}/assist`);
  await hydrated(page);
  await expect(page.getByLabel("Objects are found by")).toHaveValue(`${name}/1`);
  await expect(page.getByTestId("assist-message")).toBeVisible();
});
