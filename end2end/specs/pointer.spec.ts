// The pointer of the keyboard: drawing, dragging and picking without a mouse.
import { makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, test, unique } from "../fixtures";

test("a labeler without a mouse draws, drags and picks with the keyboard's pointer", async ({ limn, admin, page, signIn, a11y }) => {
  const project = await makeProject(limn.api(admin.token), unique("By keys"), { items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  const told = page.getByTestId("aimed");
  const press = async (key: string, times = 1) => {
    for (let n = 0; n < times; n++) await page.keyboard.press(key);
  };
  await press("1");
  await press("r");
  // One pixel of the screen is one of the picture.
  await press("Shift+KeyZ");
  await press("Backquote");
  await expect(told).toHaveText(/^Pointer at x \d+, y \d+, no object$/);
  // Pressed, dragged and let go: a box.
  await press("Backslash");
  await press("Shift+ArrowRight", 4);
  await press("ArrowDown", 20);
  await expect(told).toHaveText(/, held down$/);
  expect(await label.count()).toBe(0);
  await press("Backslash");
  await expect.poll(() => label.boxes()).toMatchObject([{ category: "raccoon", w: 40, h: 20 }]);
  await expect(told).toHaveText(/, raccoon 1$/);
  await a11y(page);
  // Two clicks: another one.
  await press("Shift+ArrowDown", 2);
  await press("Space");
  await press("Shift+ArrowLeft", 3);
  await press("Shift+ArrowDown", 2);
  await press("Space");
  await expect.poll(async () => (await label.boxes()).map(({ w, h }) => [w, h].join("x")).sort()).toEqual(["30x20", "40x20"]);
  // Dragged with the select tool: from within the box, which the pointer is at a corner of.
  await press("v");
  await press("Escape"); // the pointer
  await press("Backquote"); // in the middle of what is selected
  const [before] = (await label.boxes()).filter((b) => b.w === 30);
  await press("Backslash");
  await press("Shift+ArrowLeft", 2);
  await press("Backslash");
  await expect.poll(async () => (await label.boxes()).find((b) => b.w === 30)?.x).toBe(before.x - 20);
  // The mouse takes it away, and arrows move the object again.
  const area = (await label.stage.boundingBox())!;
  await page.mouse.move(area.x + 20, area.y + 20);
  await page.mouse.move(area.x + 40, area.y + 40);
  await expect(told).toBeEmpty();
  await press("ArrowRight");
  await expect.poll(async () => (await label.boxes()).find((b) => b.w === 30)?.x).toBe(before.x - 19);
  await label.saved();
});
