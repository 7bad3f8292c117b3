//! What the tests share: a folder, the program, files, and the answers to expect.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use bytemuck::Pod;
use halfwave::{Dtype, Element, Op, Relu, bf16, f16};
use npyz::NpyHeader;
use tempfile::TempDir;

/// A folder of its own, and `halfwave apply`, mostly of relu, run inside it.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// One in memory, where that can be had: quicker for large files.
    pub fn in_memory() -> Self {
        Self(TempDir::new_in("/dev/shm").unwrap_or_else(|_| TempDir::new().unwrap()))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The elements of an f32 .npy.
    pub fn read_f32(&self, name: &str) -> Vec<f32> {
        let bytes = self.read(name);
        npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
    }

    /// The names in it, sorted, hidden ones too.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn relu<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.apply("relu");
        command.args(args);
        command
    }

    /// `halfwave apply OP` in the folder, to which arguments are to be added.
    pub fn apply(&self, op: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halfwave"));
        command.current_dir(self.0.path()).args(["apply", op]);
        command
    }

    /// Runs it with `args`, split at spaces, and expects success. Returns standard error.
    #[track_caller]
    pub fn succeed(&self, args: &str) -> String {
        let output = self.relu(args.split(' ')).output().unwrap();
        let said = stderr(&output);
        assert!(output.status.success(), "{args}: {said}");
        said
    }

    /// Runs it with `args`, split at spaces, and expects it to fail with `code`. Returns standard
    /// error.
    #[track_caller]
    pub fn fail(&self, code: i32, args: &str) -> String {
        let output = self.relu(args.split(' ')).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{args}: {said}");
        said
    }

    /// Runs it with `args` and `input` on standard input.
    pub fn pipe(&self, args: &str, input: &[u8]) -> Output {
        let mut child = self
            .relu(args.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // It may rightly stop reading early.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    }
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A .npy as NumPy lays it out. `shape` is Python: `(2, 3)`.
pub fn npy(version: u8, descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let mut header =
        format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
    let before = if version == 1 { 10 } else { 12 };
    while (before + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    npy_with(version, &header, data)
}

/// A .npy with this text as its header.
pub fn npy_with(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    let mut file = b"\x93NUMPY".to_vec();
    file.extend([version, 0]);
    file.extend(if version == 1 { &length[..2] } else { &length });
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

/// A .safetensors with this text as its header.
pub fn safetensors_with(header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_bytes(), data].concat()
}

/// A one-dimensional f32 .npy.
pub fn npy_f32(x: &[f32]) -> Vec<u8> {
    let shape = format!("({},)", x.len());
    npy(1, "'<f4'", false, &shape, bytemuck::cast_slice(x))
}

/// `n` elements of `dtype`, little-endian: first every pattern that needs care (zeros, infinities,
/// NaNs quiet and signalling, subnormals, the extremes of an integer), then random bits.
pub fn elements(dtype: Dtype, n: usize) -> Vec<u8> {
    let bits = 8 * dtype.size();
    let sign = 1u64 << (bits - 1);
    let infinity = match dtype {
        Dtype::F16 => 0x7c00,
        Dtype::Bf16 => 0x7f80,
        Dtype::F32 => 0x7f80_0000,
        Dtype::F64 => 0x7ff0_0000_0000_0000,
        _ => 0,
    };
    let quiet = infinity >> 1;
    let care = [0, 1, infinity, infinity | 1, infinity | quiet | 5, sign - 1];
    let care = care.iter().flat_map(|&x| [x, x | sign]);
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let random = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    });
    let all = care.chain(random).take(n);
    all.flat_map(|x| x.to_le_bytes().into_iter().take(dtype.size()))
        .collect()
}

/// The library's own relu of little-endian elements.
pub fn relu(dtype: Dtype, bytes: &[u8]) -> Vec<u8> {
    apply(Op::Relu(Relu), dtype, bytes)
}

/// The library's own `op` of little-endian elements.
pub fn apply(op: Op, dtype: Dtype, bytes: &[u8]) -> Vec<u8> {
    fn typed<E: Element + Pod>(op: Op, bytes: &[u8]) -> Vec<u8> {
        let mut x = vec![E::default(); bytes.len() / size_of::<E>()];
        bytemuck::cast_slice_mut(&mut x).copy_from_slice(bytes);
        let mut y = vec![E::default(); x.len()];
        op.apply(&x, &mut y).unwrap();
        bytemuck::cast_slice(&y).to_vec()
    }
    match dtype {
        Dtype::F32 => typed::<f32>(op, bytes),
        Dtype::F64 => typed::<f64>(op, bytes),
        Dtype::F16 => typed::<f16>(op, bytes),
        Dtype::Bf16 => typed::<bf16>(op, bytes),
        Dtype::I8 => typed::<i8>(op, bytes),
        Dtype::I16 => typed::<i16>(op, bytes),
        Dtype::I32 => typed::<i32>(op, bytes),
        Dtype::I64 => typed::<i64>(op, bytes),
        Dtype::U8 => typed::<u8>(op, bytes),
        Dtype::U16 => typed::<u16>(op, bytes),
        Dtype::U32 => typed::<u32>(op, bytes),
        Dtype::U64 => typed::<u64>(op, bytes),
    }
}

/// The arrays of an .npz in the order they come: name, header, data. What does not fit its checksum
/// is an error.
#[track_caller]
pub fn npz(file: &[u8]) -> Vec<(String, NpyHeader, Vec<u8>)> {
    let archive = rawzip::ZipArchive::from_slice(file).unwrap();
    let mut entries = archive.entries();
    let mut arrays = Vec::new();
    while let Some(entry) = entries.next_entry().unwrap() {
        let name = entry
            .file_path()
            .try_normalize()
            .unwrap()
            .as_ref()
            .to_string();
        let entry = archive.get_entry(entry.wayfinder()).unwrap();
        let mut array = entry.verifying_reader(entry.data());
        let header = NpyHeader::from_reader(&mut array).unwrap();
        let mut data = Vec::new();
        array.read_to_end(&mut data).unwrap();
        arrays.push((name, header, data));
    }
    arrays
}
