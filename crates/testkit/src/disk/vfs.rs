//! SQLite's file system with [`super::Disk`] between it and the real one (sqlite.org/vfs.html).
//!
//! Each file of ours is a header followed by the memory of a file of the real VFS; what is not watched
//! is passed on as it comes. It becomes the default VFS of the process.
#![allow(
    unsafe_code,
    reason = "SQLite's file system is a C interface: tables of functions on raw memory"
)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi;

use super::{Act, Disk, Failure, Fate, disk_of};

/// What stands before the real file's memory.
#[repr(C)]
struct Watched {
    base: ffi::sqlite3_file,
    /// None where the file is on no disk of ours; a box that `close` takes back.
    about: *mut About,
}

struct About {
    disk: Disk,
    path: PathBuf,
}

struct Tables {
    real: *mut ffi::sqlite3_vfs,
    methods: ffi::sqlite3_io_methods,
}

// SAFETY: the pointer is to the system's own VFS, which lives as long as the process and is never written;
// the table of methods is plain function pointers.
unsafe impl Send for Tables {}
// SAFETY: as above.
unsafe impl Sync for Tables {}

static TABLES: OnceLock<Tables> = OnceLock::new();

/// Makes the watching VFS the default one, once.
pub(super) fn install() {
    let mut first = false;
    let tables = TABLES.get_or_init(|| {
        first = true;
        // SAFETY: a lookup of the default VFS; SQLite initialises itself with it.
        let real = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        assert!(!real.is_null(), "SQLite has a file system");
        Tables { real, methods: methods() }
    });
    if !first {
        return;
    }
    // SAFETY: the default VFS is a whole `sqlite3_vfs`; a copy of its table is changed in four places and
    // leaked, so that it lives as long as SQLite may use it.
    unsafe {
        let mut vfs = ptr::read(tables.real);
        vfs.zName = c"watched".as_ptr();
        vfs.szOsFile += offset() as c_int;
        vfs.pNext = ptr::null_mut();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        let code = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 1);
        assert_eq!(code, ffi::SQLITE_OK);
    }
}

/// Where the real file's memory begins.
const fn offset() -> usize {
    size_of::<Watched>().next_multiple_of(16)
}

fn tables() -> &'static Tables {
    TABLES.get().expect("SQLite calls after `install`")
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn real_of(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite gave us `szOsFile` bytes, of which the first `offset()` are ours.
    unsafe { file.cast::<u8>().add(offset()).cast() }
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn real_methods(file: *mut ffi::sqlite3_file) -> &'static ffi::sqlite3_io_methods {
    // SAFETY: the real VFS set the table when it opened the file; its tables are static.
    unsafe { &*(*real_of(file)).pMethods }
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn about<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a About> {
    // SAFETY: the box lives until `close`.
    unsafe { (*file.cast::<Watched>()).about.as_ref() }
}

/// # Safety
/// `name` is null or a C string.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, and SQLite's names end with zero.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Some(Path::new(std::str::from_utf8(bytes).ok()?).to_owned())
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls with memory of `szOsFile` bytes; the real VFS gets its own part of it.
    unsafe {
        let watched = file.cast::<Watched>();
        (*watched).base.pMethods = ptr::null();
        (*watched).about = ptr::null_mut();
        let path = path_of(name);
        let disk = path.as_deref().and_then(disk_of);
        if disk.as_ref().is_some_and(Disk::is_dead) {
            return ffi::SQLITE_CANTOPEN;
        }
        let real = tables().real;
        let Some(real_open) = (*real).xOpen else { return ffi::SQLITE_CANTOPEN };
        let code = real_open(real, name, real_of(file), flags, out);
        if code != ffi::SQLITE_OK {
            return code;
        }
        if let (Some(disk), Some(path)) = (disk, path) {
            (*watched).about = Box::into_raw(Box::new(About { disk, path }));
        }
        (*watched).base.pMethods = &raw const tables().methods;
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: the name is SQLite's; the real VFS gets what it would have got.
    unsafe {
        if let Some(path) = path_of(name)
            && let Some(disk) = disk_of(&path)
        {
            if disk.next(Act::Delete) != Fate::Done {
                return ffi::SQLITE_IOERR_DELETE;
            }
            disk.note_sync(&path);
        }
        let real = tables().real;
        (*real).xDelete.map_or(ffi::SQLITE_IOERR, |real_delete| real_delete(real, name, sync))
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the box was made by `open` and nobody uses the file any more.
    unsafe {
        let watched = file.cast::<Watched>();
        if !(*watched).about.is_null() {
            drop(Box::from_raw((*watched).about));
            (*watched).about = ptr::null_mut();
        }
        real_methods(file).xClose.map_or(ffi::SQLITE_OK, |real| real(real_of(file)))
    }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    to: *mut c_void,
    amount: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: passed on as it came.
    unsafe {
        if let Some(about) = about(file)
            && about.disk.next(Act::Read) != Fate::Done
        {
            return ffi::SQLITE_IOERR_READ;
        }
        real_methods(file)
            .xRead
            .map_or(ffi::SQLITE_IOERR, |real| real(real_of(file), to, amount, at))
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    amount: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite hands in `amount` bytes at `from`.
    unsafe {
        let Some(real) = real_methods(file).xWrite else { return ffi::SQLITE_IOERR };
        let Some(about) = about(file) else { return real(real_of(file), from, amount, at) };
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), amount as usize);
        let note = |bytes| about.disk.note_change(&about.path, at as u64, Some(bytes));
        match about.disk.next(Act::Write) {
            Fate::Done => {
                note(bytes);
                real(real_of(file), from, amount, at)
            }
            Fate::Dead | Fate::Fails(Failure::Eio) => ffi::SQLITE_IOERR_WRITE,
            Fate::Fails(Failure::Enospc) => ffi::SQLITE_FULL,
            Fate::Fails(Failure::Short) => {
                let half = amount / 2;
                note(&bytes[..half as usize]);
                _ = real(real_of(file), from, half, at);
                ffi::SQLITE_FULL
            }
        }
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: passed on as it came.
    unsafe {
        if let Some(about) = about(file) {
            if about.disk.next(Act::Truncate) != Fate::Done {
                return ffi::SQLITE_IOERR_TRUNCATE;
            }
            about.disk.note_change(&about.path, size as u64, None);
        }
        real_methods(file).xTruncate.map_or(ffi::SQLITE_IOERR, |real| real(real_of(file), size))
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: passed on as it came.
    unsafe {
        let Some(about) = about(file) else {
            return real_methods(file)
                .xSync
                .map_or(ffi::SQLITE_IOERR, |real| real(real_of(file), flags));
        };
        if about.disk.next(Act::Sync) != Fate::Done {
            return ffi::SQLITE_IOERR_FSYNC;
        }
        // The platter is ours: no need to wait for the real one.
        about.disk.note_sync(&about.path);
        ffi::SQLITE_OK
    }
}

/// A method that is passed on as it comes.
macro_rules! pass {
    ($name:ident, $field:ident ($($arg:ident: $type:ty),*), $otherwise:expr) => {
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file $(, $arg: $type)*) -> c_int {
            // SAFETY: passed on as it came, with the real file in place of ours.
            unsafe {
                real_methods(file).$field.map_or($otherwise, |real| real(real_of(file) $(, $arg)*))
            }
        }
    };
}

pass!(file_size, xFileSize(size: *mut ffi::sqlite3_int64), ffi::SQLITE_IOERR);
pass!(lock, xLock(level: c_int), ffi::SQLITE_IOERR);
pass!(unlock, xUnlock(level: c_int), ffi::SQLITE_OK);
pass!(check_reserved, xCheckReservedLock(out: *mut c_int), ffi::SQLITE_IOERR);
pass!(control, xFileControl(op: c_int, arg: *mut c_void), ffi::SQLITE_NOTFOUND);
pass!(sector_size, xSectorSize(), 512);
pass!(characteristics, xDeviceCharacteristics(), 0);
pass!(shm_map, xShmMap(page: c_int, size: c_int, extend: c_int, to: *mut *mut c_void), ffi::SQLITE_IOERR);
pass!(shm_lock, xShmLock(at: c_int, n: c_int, flags: c_int), ffi::SQLITE_IOERR);
pass!(shm_unmap, xShmUnmap(delete: c_int), ffi::SQLITE_OK);

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: passed on as it came, with the real file in place of ours.
    unsafe {
        if let Some(real) = real_methods(file).xShmBarrier {
            real(real_of(file));
        }
    }
}

/// Version 2: with shared memory, without mapping of the file, so that every write is seen.
fn methods() -> ffi::sqlite3_io_methods {
    ffi::sqlite3_io_methods {
        iVersion: 2,
        xClose: Some(close),
        xRead: Some(read),
        xWrite: Some(write),
        xTruncate: Some(truncate),
        xSync: Some(sync),
        xFileSize: Some(file_size),
        xLock: Some(lock),
        xUnlock: Some(unlock),
        xCheckReservedLock: Some(check_reserved),
        xFileControl: Some(control),
        xSectorSize: Some(sector_size),
        xDeviceCharacteristics: Some(characteristics),
        xShmMap: Some(shm_map),
        xShmLock: Some(shm_lock),
        xShmBarrier: Some(shm_barrier),
        xShmUnmap: Some(shm_unmap),
        xFetch: None,
        xUnfetch: None,
    }
}
