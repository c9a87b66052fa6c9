//! The design system: what every page is made of. No server functions, no knowledge of features.
//!
//! Development builds show all of it at `/ui`.

pub mod button;
pub mod chart;
pub mod color;
pub mod debounce;
pub mod dialog;
pub mod failure;
pub mod field;
pub mod hotkey;
pub mod icon;
pub mod input;
pub mod layout;
pub mod line;
pub mod menu;
pub mod resize;
pub mod status;
pub mod toast;

pub use button::{Button, ButtonSize, CopyButton, IconButton, Variant};
pub use chart::{Bars, Grid, Matrix, Plot, QuantileStrip};
pub use color::ColorPicker;
pub use debounce::debounce;
pub use dialog::{ConfirmDialog, Dialog, DialogBody, DialogFoot, DialogSize};
pub use failure::{ErrorView, NotFound};
pub use field::{Field, FormError, Notice};
pub use hotkey::{Hotkeys, is_overlaid, is_typing, use_hotkey, use_hotkey_when};
pub use icon::{Glyph, Icon, IconOf, Logo};
pub use input::{Checkbox, Choice, RadioCards, Select, Switch, TextArea, TextInput};
pub use layout::{Breadcrumbs, Card, EmptyState, PageHead, Skeleton, SkeletonCards, Stat, Tab, Table, Tabs};
pub use line::{Line, LineChart, XKind, series_style};
pub use menu::{Menu, MenuHeading, MenuItem, MenuLine, Popover};
pub use resize::on_resize;
pub use status::{
    Avatar, BarList, BarRow, Chip, Dot, Kbd, ProgressBar, RelativeTime, Segment, Tone, safe_color,
};
pub(crate) use toast::ToastHost;
pub use toast::{Toast, Toasts, use_toasts};

/// Provides what the design system needs, once for the whole app.
pub(crate) fn provide() {
    toast::provide_toasts();
    hotkey::provide_hotkeys();
    status::provide_now();
}
