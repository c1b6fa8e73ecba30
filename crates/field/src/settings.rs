//! What the person has set: language, text size, theme, photos. It stays on this phone.

use serde::{Deserialize, Serialize};

use crate::error::FieldError;
use crate::phone::Phone;

const NAME: &str = "screen";

/// Settings of the screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Settings {
    #[cfg_attr(feature = "ts", ts(type = "'zh' | 'en'"))]
    pub lang: String,
    /// Base size in pixels.
    #[cfg_attr(feature = "ts", ts(type = "18 | 20 | 24 | 30"))]
    pub text_px: u8,
    #[cfg_attr(feature = "ts", ts(type = "'standard' | 'outdoor'"))]
    pub theme: String,
    /// Minutes in the background after which the store is locked.
    #[cfg_attr(feature = "ts", ts(type = "1 | 5 | 15 | 30"))]
    pub lock_after_min: u8,
    /// When photos go in full. `auto`: up to 1 MiB on any line, larger ones on Wi-Fi.
    #[cfg_attr(feature = "ts", ts(type = "'auto' | 'always' | 'wifi' | 'by_hand'"))]
    pub originals: String,
    /// Time, grid and position are burnt into photos.
    pub watermark: bool,
    /// 2,400 pixels a side instead of 1,600.
    pub large_photos: bool,
    /// Photos that the town has may take up so much of this phone.
    pub photos_mib: u32,
}

/// Long enough for a call, short enough for a phone that was left lying.
const LOCK_AFTER_MIN: u8 = 5;
/// Words of [`Settings::originals`].
const ORIGINALS: [&str; 4] = ["auto", "always", "wifi", "by_hand"];
/// Bounds of [`Settings::photos_mib`].
const PHOTOS_MIB: std::ops::RangeInclusive<u32> = 50..=20_000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            lang: "zh".to_owned(),
            text_px: 18,
            theme: "standard".to_owned(),
            lock_after_min: LOCK_AFTER_MIN,
            originals: "auto".to_owned(),
            watermark: false,
            large_photos: false,
            photos_mib: 500,
        }
    }
}

impl Settings {
    /// Known words and sizes; anything else becomes the default.
    pub(crate) fn sound(self) -> Self {
        let default = Self::default();
        let lang = if matches!(self.lang.as_str(), "zh" | "en") { self.lang } else { default.lang };
        let known = matches!(self.theme.as_str(), "standard" | "outdoor");
        let theme = if known { self.theme } else { default.theme };
        let sizes = matches!(self.text_px, 18 | 20 | 24 | 30);
        let minutes = matches!(self.lock_after_min, 1 | 5 | 15 | 30);
        let known = ORIGINALS.contains(&self.originals.as_str());
        Self {
            lang,
            theme,
            text_px: if sizes { self.text_px } else { default.text_px },
            lock_after_min: if minutes { self.lock_after_min } else { default.lock_after_min },
            originals: if known { self.originals } else { default.originals },
            photos_mib: self.photos_mib.clamp(*PHOTOS_MIB.start(), *PHOTOS_MIB.end()),
            ..self
        }
    }
}

impl Phone {
    pub fn settings(&self) -> Result<Settings, FieldError> {
        let stored = self.store.setting(NAME)?;
        let read = stored.and_then(|text| serde_json::from_str::<Settings>(&text).ok());
        Ok(read.unwrap_or_default().sound())
    }

    pub fn set_settings(&mut self, settings: &Settings) -> Result<Settings, FieldError> {
        let sound = settings.clone().sound();
        self.lang = if sound.lang == "en" { "en" } else { "zh" };
        let text =
            serde_json::to_string(&sound).map_err(|e| FieldError::Protocol(e.to_string()))?;
        self.transact(|tx| Ok::<_, FieldError>(tx.set_setting(NAME, &text)?))?;
        Ok(sound)
    }
}
