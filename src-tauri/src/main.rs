//! `smart-yaoguan` on a desktop.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    smart_yaoguan_lib::run();
}
