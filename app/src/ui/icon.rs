//! The one icon set: 24-unit grid, 1.6 strokes, round ends.

use leptos::prelude::*;
use limn_domain::ShapeKind;
use limn_domain::project::Task;

macro_rules! glyphs {
    ($($name:ident = $path:literal;)*) => {
        /// A picture of the set.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Glyph { $($name,)* }

        impl Glyph {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            const fn shapes(self) -> &'static str {
                match self { $(Self::$name => $path,)* }
            }
        }
    };
}

glyphs! {
    Activity = r#"<path d="M3 12h4l3 8 4-16 3 8h4"/>"#;
    Archive = r#"<rect x="3" y="4" width="18" height="5" rx="1"/><path d="M5 9v10a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V9M10 13h4"/>"#;
    ArrowLeft = r#"<path d="M19 12H5M11 18l-6-6 6-6"/>"#;
    ArrowRight = r#"<path d="M5 12h14M13 6l6 6-6 6"/>"#;
    Ban = r#"<circle cx="12" cy="12" r="8.5"/><path d="m6 6 12 12"/>"#;
    Book = r#"<path d="M12 6.5C10.5 5 8 4.5 4 4.5v14c4 0 6.500 .5 8 2 1.500-1.500 4-2 8-2v-14c-4 0-6.500 .5-8 2zM12 6.500v14"/>"#;
    Box = r#"<rect x="4" y="5" width="16" height="14" rx="1"/>"#;
    Brush = r#"<path d="M14 4 20 10 11 17l-4-4zM7 13c-3 0-2 5-5 6 4 2 8 0 9-2"/>"#;
    Check = r#"<path d="m5 12.500 4.500 4.500L19 7.500"/>"#;
    CheckCircle = r#"<circle cx="12" cy="12" r="8.500"/><path d="m8.500 12.300 2.500 2.500 4.500-5"/>"#;
    ChevronDown = r#"<path d="m6 9 6 6 6-6"/>"#;
    ChevronLeft = r#"<path d="m15 6-6 6 6 6"/>"#;
    ChevronRight = r#"<path d="m9 6 6 6-6 6"/>"#;
    ChevronUp = r#"<path d="m6 15 6-6 6 6"/>"#;
    ChevronsUpDown = r#"<path d="m8 15 4 4 4-4M8 9l4-4 4 4"/>"#;
    ChevronsLeft = r#"<path d="m12 6-6 6 6 6M18.500 6l-6 6 6 6"/>"#;
    ChevronsRight = r#"<path d="m12 6 6 6-6 6M5.500 6l6 6-6 6"/>"#;
    Click = r#"<path d="m10 10 10.500 3.800-4.700 2-2 4.700zM10 3v3M3 10h3M5 5l2.200 2.200M15 5l-2.200 2.200M5 15l2.200-2.200"/>"#;
    Clock = r#"<circle cx="12" cy="12" r="8.500"/><path d="M12 7.500V12l3 2"/>"#;
    Copy = r#"<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1"/>"#;
    CutOut = r#"<path d="M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4"/><path d="M12 7.500c3 0 5 2 4.500 4.500S14 16.500 11.500 16.500 7.500 14 8 11.500s1.500-4 4-4z"/>"#;
    Cube = r#"<path d="m12 2.500 8.500 4.800v9.400L12 21.500l-8.500-4.800V7.300zM3.500 7.300 12 12l8.500-4.700M12 12v9.500"/>"#;
    Cursor = r#"<path d="m5 3 6 17 2.500-7 7-2.500z"/>"#;
    Data = r#"<ellipse cx="12" cy="5.500" rx="8" ry="2.800"/><path d="M4 5.500v13c0 1.500 3.600 2.800 8 2.800s8-1.300 8-2.800v-13M4 12c0 1.500 3.600 2.800 8 2.800s8-1.300 8-2.800"/>"#;
    Download = r#"<path d="M12 4v12M6.500 11 12 16.500 17.500 11M4 20.500h16"/>"#;
    ExternalLink = r#"<path d="M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5"/>"#;
    Ellipse = r#"<ellipse cx="12" cy="12" rx="9" ry="6"/>"#;
    Eraser = r#"<path d="M10 20h10M4.500 14.500 13 6a1.500 1.500 0 0 1 2 0l4.500 4.500a1.500 1.500 0 0 1 0 2L12 20H8.500l-4-3.500a1.400 1.400 0 0 1 0-2zM9 10l6.500 6.500"/>"#;
    Extremes = r#"<path d="M4 5h16v14H4z" stroke-dasharray="2.500 2.500"/><circle cx="4" cy="13" r="1.600"/><circle cx="10" cy="5" r="1.600"/><circle cx="20" cy="10" r="1.600"/><circle cx="14" cy="19" r="1.600"/>"#;
    Eye = r#"<path d="M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12z"/><circle cx="12" cy="12" r="2.800"/>"#;
    EyeOff = r#"<path d="M9.500 5.900A9 9 0 0 1 12 5.500c6 0 9.500 6.500 9.500 6.500a17 17 0 0 1-2.700 3.400M6.500 7.200A16 16 0 0 0 2.500 12s3.500 6.500 9.500 6.500a9 9 0 0 0 4.500-1.200M10 10a2.800 2.800 0 0 0 4 4M3.500 3.500l17 17"/>"#;
    File = r#"<path d="M14 3H7a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V7zM14 3v4h4"/>"#;
    Filter = r#"<path d="M4 6h16M7 12h10M10 18h4"/>"#;
    Film = r#"<rect x="3.500" y="5" width="17" height="14" rx="1.500"/><path d="M7.500 5v14M16.500 5v14M3.500 9.700h4M3.500 14.300h4M16.500 9.700h4M16.500 14.300h4"/>"#;
    First = r#"<path d="M6 5.500v13M18 6l-7 6 7 6z"/>"#;
    Fit = r#"<path d="M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4"/>"#;
    Flag = r#"<path d="M5 21V4M5 4.500c5-2.500 8 2.500 14 0v9.500c-6 2.500-9-2.500-14 0"/>"#;
    Flask = r#"<path d="M9 3h6M10 3v6l-5.500 9.500A1.700 1.700 0 0 0 6 21h12a1.700 1.700 0 0 0 1.500-2.500L14 9V3"/>"#;
    Folder = r#"<path d="M3 7a1 1 0 0 1 1-1h5l2 2.500h9a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1z"/>"#;
    FolderUp = r#"<path d="M3 7a1 1 0 0 1 1-1h5l2 2.500h9a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1zM12 16.500v-5M9.500 13.500 12 11l2.500 2.500"/>"#;
    Gear = r#"<circle cx="12" cy="12" r="3"/><path d="M12 2.800v3M12 18.200v3M21.200 12h-3M5.800 12h-3M18.500 5.500l-2.100 2.100M7.600 16.400l-2.100 2.100M18.500 18.500l-2.100-2.100M7.600 7.600 5.500 5.500"/>"#;
    Grid = r#"<rect x="4" y="4" width="6.500" height="6.500" rx="1"/><rect x="13.500" y="4" width="6.500" height="6.500" rx="1"/><rect x="4" y="13.500" width="6.500" height="6.500" rx="1"/><rect x="13.500" y="13.500" width="6.500" height="6.500" rx="1"/>"#;
    Grip = r#"<circle cx="9" cy="6" r=".8"/><circle cx="9" cy="12" r=".8"/><circle cx="9" cy="18" r=".8"/><circle cx="15" cy="6" r=".8"/><circle cx="15" cy="12" r=".8"/><circle cx="15" cy="18" r=".8"/>"#;
    Polygon = r#"<path d="M5 9l7-5 7 4-2 10-9 2z"/><circle cx="5" cy="9" r="1.4"/><circle cx="12" cy="4" r="1.4"/><circle cx="19" cy="8" r="1.4"/><circle cx="17" cy="18" r="1.4"/><circle cx="8" cy="20" r="1.4"/>"#;
    Pixels = r#"<path d="M4 4h16v16H4zM4 12h8M12 4v16M12 16h8"/><path d="M12 4h8v8h-8zM4 12h8v8H4z" fill="currentColor" fill-opacity=".35" stroke="none"/>"#;
    Points = r#"<circle cx="6" cy="16" r="1.800"/><circle cx="12" cy="7" r="1.800"/><circle cx="18" cy="15" r="1.800"/>"#;
    Polyline = r#"<path d="M4.500 17.500 9 8l6 6 4.500-8.500"/><circle cx="4.500" cy="17.500" r="1.500"/><circle cx="9" cy="8" r="1.500"/><circle cx="15" cy="14" r="1.500"/><circle cx="19.500" cy="5.500" r="1.500"/>"#;
    RotatedBox = r#"<path d="m9.500 3.500 11 6-6 11-11-6z"/>"#;
    Shapes = r#"<rect x="3.500" y="3.500" width="8" height="8" rx="1"/><circle cx="17" cy="7.500" r="3.800"/><path d="m8 13.500 4.500 7.500h-9zM14.500 14.500h6v6h-6z"/>"#;
    Scissors = r#"<circle cx="6" cy="6" r="2.500"/><circle cx="6" cy="18" r="2.500"/><path d="M8 7.500 20 18M8 16.500 20 6"/>"#;
    Slice = r#"<path d="M4 20 20 4M9.500 4.500h-4a1 1 0 0 0-1 1v7M14.500 19.500h4a1 1 0 0 0 1-1v-7"/>"#;
    Skeleton = r#"<circle cx="12" cy="5" r="2"/><path d="M12 7v7M6.500 10.500 12 9l5.500 1.500M12 14l-3.500 6.500M12 14l3.500 6.500"/><circle cx="6.500" cy="10.500" r="1.200"/><circle cx="17.500" cy="10.500" r="1.200"/><circle cx="8.500" cy="20.500" r="1.200"/><circle cx="15.500" cy="20.500" r="1.200"/>"#;
    Hand = r#"<path d="M8 13V6.500a1.500 1.500 0 0 1 3 0V11V4.500a1.500 1.500 0 0 1 3 0V11V6a1.500 1.500 0 0 1 3 0v8c0 4-2.500 7-6 7-3 0-4.500-1.500-6-4l-2-3.500c-.8-1.500 1-2.500 2-1.500z"/>"#;
    Help = r#"<circle cx="12" cy="12" r="8.500"/><path d="M9.500 9.500a2.500 2.500 0 1 1 3.600 2.300c-.7.4-1.100.9-1.100 1.700M12 16.600v.1"/>"#;
    Home = r#"<path d="M3 10.500 12 3l9 7.500V20a1 1 0 0 1-1 1h-5v-6H9v6H4a1 1 0 0 1-1-1z"/>"#;
    Image = r#"<rect x="3.500" y="4.500" width="17" height="15" rx="1.500"/><circle cx="9" cy="10" r="1.600"/><path d="m5 18.500 5-5 3 3 3.500-4 4 4.500"/>"#;
    Images = r#"<path d="M7 7V5a1 1 0 0 1 1-1h12a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-2"/><rect x="3" y="8" width="15" height="12" rx="1.200"/><path d="m4.500 18.500 4-4 2.500 2.500 2.500-3 3.500 4"/>"#;
    Info = r#"<circle cx="12" cy="12" r="8.500"/><path d="M12 11v5M12 7.800v.1"/>"#;
    Key = r#"<circle cx="8" cy="15.500" r="4.500"/><path d="m11.300 12.200 8.200-8.200M16 7.500l3 3M13.500 10l1.500 1.500"/>"#;
    Keyboard = r#"<rect x="2.500" y="6" width="19" height="12.500" rx="1.500"/><path d="M6.500 10h.1M10 10h.1M13.500 10h.1M17.500 10h.1M8 14.500h8"/>"#;
    Keyframe = r#"<path d="m12 5 7 7-7 7-7-7z"/>"#;
    KeyframeBack = r#"<path d="m15.500 7 5 5-5 5-5-5zM7.500 7.500 3 12l4.500 4.500"/>"#;
    KeyframeOn = r#"<path d="m8.500 7 5 5-5 5-5-5zM16.500 7.500 21 12l-4.500 4.500"/>"#;
    Last = r#"<path d="M18 5.500v13M6 6l7 6-7 6z"/>"#;
    Layers = r#"<path d="m12 3.500 9 5-9 5-9-5zM3.500 12.500l8.500 4.700 8.500-4.700M3.500 16.300 12 21l8.500-4.700"/>"#;
    Link = r#"<path d="M10 13.500a4 4 0 0 0 6 .4l2.800-2.800a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10.500a4 4 0 0 0-6-.4l-2.800 2.800a4 4 0 0 0 5.700 5.700l1.500-1.500"/>"#;
    List = r#"<path d="M8.500 6H20M8.500 12H20M8.500 18H20M4 6h.1M4 12h.1M4 18h.1"/>"#;
    Lock = r#"<rect x="5" y="11" width="14" height="9" rx="1.500"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>"#;
    Mail = r#"<rect x="3" y="5" width="18" height="14" rx="1.500"/><path d="m4 7 8 6 8-6"/>"#;
    Menu = r#"<path d="M4 6.500h16M4 12h16M4 17.500h16"/>"#;
    Merge = r#"<path d="M6 4v4c0 3 6 4 6 8v4M18 4v4c0 3-6 4-6 8M9 17l3 3 3-3"/>"#;
    Minus = r#"<path d="M5 12h14"/>"#;
    Monitor = r#"<rect x="3" y="4.500" width="18" height="12" rx="1.500"/><path d="M8.500 20h7M12 16.500V20"/>"#;
    Moon = r#"<path d="M20 14.500A8.300 8.300 0 0 1 9.500 4a8.300 8.300 0 1 0 10.500 10.500z"/>"#;
    More = r#"<circle cx="5" cy="12" r="1"/><circle cx="12" cy="12" r="1"/><circle cx="19" cy="12" r="1"/>"#;
    Occluded = r#"<rect x="4" y="4" width="11" height="11" rx="1" stroke-dasharray="2.500 2.200"/><rect x="9.500" y="9.500" width="10.500" height="10.500" rx="1" fill="currentColor" fill-opacity=".3"/>"#;
    OnlyHere = r#"<path d="M12 3.500v17M5 8.500 8.500 12 5 15.500M19 8.500 15.500 12l3.500 3.500"/>"#;
    Outside = r#"<path d="M11 5H5a1 1 0 0 0-1 1v12a1 1 0 0 0 1 1h6M10 12h10.500M16.500 8l4 4-4 4"/>"#;
    Palette = r#"<path d="M12 3.500a8.500 8.500 0 1 0 0 17c1.400 0 2-.9 2-1.800 0-1.400-1-1.700-1-2.900 0-.9.800-1.500 1.800-1.500h2.200c2 0 3.500-1.500 3.500-3.500 0-4-3.800-7.300-8.500-7.300z"/><path d="M7.500 12h.1M9.500 8h.1M14.500 7.500h.1"/>"#;
    Pause = r#"<path d="M8.500 5v14M15.500 5v14"/>"#;
    Pencil = r#"<path d="M4 20l.9-4L16 4.900a1.500 1.500 0 0 1 2.100 0l1 1a1.500 1.500 0 0 1 0 2.100L8 19.100zM14 7l3 3"/>"#;
    People = r#"<circle cx="9" cy="8" r="3.200"/><path d="M3 20c0-3.300 2.700-5.500 6-5.500s6 2.200 6 5.500M16 5.200a3.200 3.200 0 0 1 0 5.800M17.500 14.800c2.100.7 3.500 2.600 3.500 5.200"/>"#;
    Play = r#"<path d="M7 4.500v15l12-7.500z"/>"#;
    Plug = r#"<path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4"/>"#;
    Plus = r#"<path d="M12 5v14M5 12h14"/>"#;
    Point = r#"<circle cx="12" cy="12" r="2.500"/><path d="M12 3v4M12 17v4M3 12h4M17 12h4"/>"#;
    Poly = r#"<path d="M12 3 21 9.500 17.500 20h-11L3 9.500z"/>"#;
    Redo = r#"<path d="m16 5 4 4-4 4M20 9H10a6 6 0 0 0 0 12h3"/>"#;
    Refresh = r#"<path d="M20 11.500A8 8 0 0 0 5.500 7.200L3.500 9.500M3.500 4.500v5h5M4 12.500a8 8 0 0 0 14.500 4.300l2-2.300M20.500 19.500v-5h-5"/>"#;
    Search = r#"<circle cx="11" cy="11" r="6.500"/><path d="m20 20-4-4"/>"#;
    Send = r#"<path d="M20.500 3.500 10 14M20.500 3.500 14 20.500l-4-6.500-6.500-4z"/>"#;
    Shield = r#"<path d="M12 3 4.500 6v5.500c0 4.500 3 7.800 7.500 9.500 4.500-1.700 7.500-5 7.500-9.500V6z"/>"#;
    SignOut = r#"<path d="M10 4H5a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h5M15.500 16.500 20 12l-4.500-4.500M20 12H9.500"/>"#;
    Skip = r#"<path d="M5 5v14l9-7zM18.500 5v14"/>"#;
    Sliders = r#"<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>"#;
    Superpixels = r#"<path d="M4 9l5-3 6 2 5-3M4 16l6-2 5 3 5-2M9 6l1 8M15 8l0 9M4 4h16v16H4z"/>"#;
    Spark = r#"<path d="M12 3v4M12 17v4M3 12h4M17 12h4M6 6l2.500 2.500M15.500 15.500 18 18M18 6l-2.500 2.500M8.500 15.500 6 18"/>"#;
    Sun = r#"<circle cx="12" cy="12" r="4"/><path d="M12 2.500v2M12 19.500v2M21.500 12h-2M4.500 12h-2M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400M18.700 18.700l-1.400-1.400M6.700 6.700 5.300 5.300"/>"#;
    Tag = r#"<path d="M4 4h7l9 9-7 7-9-9z"/><circle cx="8.500" cy="8.500" r="1.200"/>"#;
    Terminal = r#"<path d="m5 7 5 5-5 5M12.500 18H19"/>"#;
    Swap = r#"<path d="M4 8.500h14M14.500 5l3.500 3.500-3.500 3.500M20 15.500H6M9.500 12 6 15.500 9.500 19"/>"#;
    TextLabels = r#"<path d="M4 6h16M4 11h10M4 16h7"/><path d="M14 14.500h3.500l3.500 3.300-3.500 3.200H14z"/>"#;
    TextSpans = r#"<path d="M4 5h16M4 19h9"/><rect x="3.500" y="9" width="8" height="6" rx="1"/><path d="M14.500 12H20"/>"#;
    TextTag = r#"<path d="M14 3H7a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V7zM14 3v4h4M9 12h6M9 16h4"/>"#;
    Trash = r#"<path d="M4.500 6.500h15M9 6.500V4.500a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2M6.500 6.500l.8 13a1 1 0 0 0 1 1h7.400a1 1 0 0 0 1-1l.8-13M10 10.500v6M14 10.500v6"/>"#;
    Undo = r#"<path d="M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3"/>"#;
    Unlock = r#"<rect x="5" y="11" width="14" height="9" rx="1.500"/><path d="M8 11V8a4 4 0 0 1 7.700-1.500"/>"#;
    Upload = r#"<path d="M12 16.500V4.500M6.500 10 12 4.500 17.500 10M4 20.500h16"/>"#;
    User = r#"<circle cx="12" cy="8" r="3.700"/><path d="M4.500 20.500c0-3.800 3.300-6.500 7.500-6.500s7.500 2.700 7.500 6.500"/>"#;
    Wand = r#"<path d="m4 20 10-10M15 4v3M20 9h-3M18.500 5.500l-2 2M12 5l1 1M19 12l-1-1"/>"#;
    Warning = r#"<path d="M12 4 2.800 19.500h18.400zM12 10v4.500M12 17v.1"/>"#;
    WifiOff = r#"<path d="M5 12.500a10 10 0 0 1 4-2.300M15 10.200a10 10 0 0 1 4 2.300M2 9a14.500 14.500 0 0 1 4.500-2.800M11 5a14.500 14.500 0 0 1 11 4M8.500 16a5 5 0 0 1 7 0M12 19.500v.1M3.500 3.500l17 17"/>"#;
    X = r#"<path d="m6 6 12 12M18 6 6 18"/>"#;
    XCircle = r#"<circle cx="12" cy="12" r="8.500"/><path d="m9 9 6 6M15 9l-6 6"/>"#;
    ZoomIn = r#"<circle cx="11" cy="11" r="6.500"/><path d="m20 20-4-4M11 8.500v5M8.500 11h5"/>"#;
    ZoomOut = r#"<circle cx="11" cy="11" r="6.500"/><path d="m20 20-4-4M8.500 11h5"/>"#;
}

impl Glyph {
    /// The picture of a kind of project.
    pub const fn of_task(task: Task) -> Self {
        match task {
            Task::Detection => Self::Box,
            Task::Segmentation => Self::Polygon,
            Task::Semantic => Self::Pixels,
            Task::Keypoints => Self::Skeleton,
            Task::Objects => Self::Shapes,
            Task::Classification => Self::Tag,
            Task::Multilabel => Self::Layers,
            Task::TextClassification => Self::TextTag,
            Task::TextMultilabel => Self::TextLabels,
            Task::Entities => Self::TextSpans,
        }
    }

    /// The picture of a kind of shape.
    pub const fn of_shape(kind: ShapeKind) -> Self {
        match kind {
            ShapeKind::Whole => Self::Image,
            ShapeKind::Box => Self::Box,
            ShapeKind::Polygon => Self::Polygon,
            ShapeKind::Mask => Self::Pixels,
            ShapeKind::RotatedBox => Self::RotatedBox,
            ShapeKind::Ellipse => Self::Ellipse,
            ShapeKind::Polyline => Self::Polyline,
            ShapeKind::Points => Self::Points,
            ShapeKind::Keypoints => Self::Skeleton,
            ShapeKind::Span => Self::TextSpans,
            ShapeKind::Track => Self::Film,
        }
    }
}

/// A picture beside words: hidden from screen readers, which read the words.
#[component]
pub fn Icon(
    glyph: Glyph,
    /// Pixels.
    #[prop(default = 16)]
    size: u8,
) -> impl IntoView {
    view! {
        <svg
            class="icon"
            width=size.to_string()
            height=size.to_string()
            viewBox="0 0 24 24"
            aria-hidden="true"
            inner_html=glyph.shapes()
        ></svg>
    }
}

/// A picture that changes.
#[component]
pub fn IconOf(
    #[prop(into)] glyph: Signal<Glyph>,
    /// Pixels.
    #[prop(default = 16)]
    size: u8,
) -> impl IntoView {
    move || view! { <Icon glyph=glyph.get() size/> }
}

/// The mark: an L drawn in one stroke, and its golden point.
#[component]
pub fn Logo(
    /// Pixels.
    #[prop(default = 22)]
    size: u8,
) -> impl IntoView {
    view! {
        <svg class="logo" width=size.to_string() height=size.to_string() viewBox="0 0 24 24" aria-hidden="true">
            <path d="M4 20V4h3.2v12.8H20V20z" class="logo__l"></path>
            <circle cx="16.5" cy="7.5" r="3.5" class="logo__dot"></circle>
        </svg>
    }
}
