//! Every component in its states.

use crate::error::AppError;
use crate::ui::*;
use leptos::prelude::*;
use limn_domain::{ApiError, Code, Timestamp};

#[component]
fn Part(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! { <Card title><div class="gallery__part">{children()}</div></Card> }
}

#[component]
pub fn GalleryPage() -> impl IntoView {
    view! {
        <PageHead title="Design system" sub=ViewFn::from(|| "What pages are made of. Development builds only.")/>
        <div class="stack">
            <Buttons/>
            <Fields/>
            <Overlays/>
            <Marks/>
            <States/>
            <Part title="Icons">
                <div class="gallery__icons">
                    {Glyph::ALL.iter().map(|g| view! { <span class="gallery__icon"><Icon glyph=*g size=20/><small>{format!("{g:?}")}</small></span> }).collect_view()}
                </div>
            </Part>
        </div>
    }
}

#[component]
fn Buttons() -> impl IntoView {
    let busy = RwSignal::new(false);
    view! {
        <Part title="Buttons">
            <div class="row row--wrap">
                <Button variant=Variant::Primary icon=Glyph::Play kbd="L">"Label"</Button>
                <Button icon=Glyph::Download>"Export"</Button>
                <Button variant=Variant::Quiet>"All items"</Button>
                <Button variant=Variant::Danger icon=Glyph::Trash>"Delete"</Button>
                <Button disabled=true>"Disabled"</Button>
                <Button loading=busy on_click=move || busy.set(true)>"Works when pressed"</Button>
                <Button size=ButtonSize::Small>"Small"</Button>
                <Button size=ButtonSize::Large>"Large"</Button>
                <Button href="/ui">"Link"</Button>
                <IconButton glyph=Glyph::Pencil label="Rename"/>
                <CopyButton text="copied text"/>
            </div>
        </Part>
    }
}

#[component]
fn Fields() -> impl IntoView {
    let text = RwSignal::new("Street scenes".to_owned());
    let area = RwSignal::new("Draw a box around every car.".to_owned());
    let pick = RwSignal::new("b".to_owned());
    let card = RwSignal::new("detection".to_owned());
    let tick = RwSignal::new(true);
    let on = RwSignal::new(true);
    let color = RwSignal::new("#3e63dd".to_owned());
    let failure = RwSignal::new(Some(AppError(ApiError::field(
        "bad",
        "A project with this name exists already.",
    ))));
    let options: Vec<(String, String)> = [("a", "Added"), ("b", "Name")]
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .to_vec();
    let options = StoredValue::new(options);
    view! {
        <Part title="Fields">
            <div class="form__two">
                <Field name="good" label="Name" hint="At most 120 characters."><TextInput value=text/></Field>
                <Field name="bad" label="Name" errors=failure><TextInput value=text/></Field>
                <Field name="pick" label="Sort" optional=true><Select value=pick options=options.get_value()/></Field>
                <Field name="area" label="Instructions"><TextArea value=area rows=3/></Field>
            </div>
            <RadioCards
                value=card
                name="gallery-task"
                label="Task"
                choices=vec![
                    Choice::new("detection", "Object detection", "Draw a box around every object").with_icon(Glyph::Box),
                    Choice::new("classification", "Image classification", "One category for each image").with_icon(Glyph::Image),
                ]
            />
            <div class="row row--wrap">
                <Checkbox checked=tick label="With pictures" hint="A zip, rotation baked in"/>
                <ColorPicker id="gallery-color" value=color label="Colour of Car"/>
            </div>
            <Switch checked=on label="Shuffle" hint="Hands out items in random order"/>
        </Part>
    }
}

#[component]
fn Overlays() -> impl IntoView {
    let dialog = RwSignal::new(false);
    let confirm = RwSignal::new(false);
    let toasts = use_toasts();
    view! {
        <Part title="Dialogs, menus, messages">
            <div class="row row--wrap">
                <Button on_click=move || dialog.set(true)>"Dialog"</Button>
                <Button on_click=move || confirm.set(true)>"Confirm"</Button>
                <Menu id="gallery-menu" label="More">
                    <MenuItem icon=Glyph::Pencil>"Rename"</MenuItem>
                    <MenuItem icon=Glyph::Merge kbd="M">"Merge"</MenuItem>
                    <MenuLine/>
                    <MenuItem icon=Glyph::Trash variant=Variant::Danger>"Remove"</MenuItem>
                </Menu>
                <Button on_click=move || toasts.ok("Saved.")>"Good news"</Button>
                <Button on_click=move || toasts.fail("The file cat.png is no picture; convert it to JPEG or PNG.")>"Bad news"</Button>
            </div>
            <Dialog open=dialog title="New token" description="A key for a script.">
                <DialogBody><p>"Content"</p></DialogBody>
                <DialogFoot><Button variant=Variant::Primary on_click=move || dialog.set(false)>"Done"</Button></DialogFoot>
            </Dialog>
            <ConfirmDialog
                open=confirm
                title="Delete Street scenes?"
                text="2,010 items and 12,344 annotations go with it."
                confirm="Delete"
                type_to_confirm="Street scenes"
                on_confirm=Callback::new(move |()| confirm.set(false))
            />
        </Part>
    }
}

#[component]
fn Marks() -> impl IntoView {
    let segments = vec![
        Segment::new(924, Tone::Ok, "Done"),
        Segment::new(121, Tone::Warn, "Prelabeled"),
        Segment::new(38, Tone::Bad, "Skipped"),
        Segment::new(567, Tone::Neutral, "To do"),
    ];
    let rows = [
        ("Car", 4120, "#3e63dd"),
        ("Pedestrian", 2210, "#e5484d"),
        ("Tree", 1980, "#30a46c"),
        ("Fence", 190, "#978365"),
    ]
    .map(|(label, value, color)| BarRow {
        label: label.into(),
        value,
        color: color.into(),
        href: None,
    })
    .to_vec();
    view! {
        <div class="stats">
            <Stat label="Done" value="1,284" sub="of 2,010, 64 %"/>
            <Stat label="Objects" value="12,344" sub="9.6 an item"/>
        </div>
        <Part title="Marks">
            <div class="row row--wrap">
                <Chip>"Neutral"</Chip>
                <Chip tone=Tone::Ok dot=true>"Running"</Chip>
                <Chip tone=Tone::Warn>"Paused"</Chip>
                <Chip tone=Tone::Bad>"Failed"</Chip>
                <Chip tone=Tone::Accent>"v6"</Chip>
                <Avatar name="Ana Gómez"/>
                <Avatar name="Limn" system=true/>
                <Kbd>"Ctrl K"</Kbd>
                <RelativeTime at=Timestamp(1_750_000_000_000_000)/>
            </div>
            <ProgressBar label="Progress" segments total=1650 legend=true thick=true/>
            <BarList label="Categories" rows/>
        </Part>
    }
}

#[component]
fn States() -> impl IntoView {
    view! {
        <Part title="States">
            <Skeleton lines=3/>
            <Notice>"Something worth knowing."</Notice>
            <Notice tone=Tone::Ok>"It worked."</Notice>
            <Notice tone=Tone::Warn>"This is the only time it shows."</Notice>
            <Notice tone=Tone::Bad>"It failed."</Notice>
            <EmptyState glyph=Glyph::Images title="No items yet" text="Drop a folder of pictures, a zip, or COCO or VOC files with them.">
                <Button variant=Variant::Primary icon=Glyph::Upload>"Add items"</Button>
            </EmptyState>
            <ErrorView error=AppError::new(Code::Unavailable, "The server does not answer.") retry=|| ()/>
        </Part>
    }
}
