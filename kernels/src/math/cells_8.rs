//! Tables of 8 cells on `f32`, and of eighths of a power of two; see [`cells`](crate::math::cells) and
//! [`powers`](crate::math::powers). Made by the fits of `docs/fits`; as bits, because a decimal says no
//! more.

use crate::math::tables::{Cells, of_bits};

/// tanh a; the seventh coefficient is in the lower half of the sixth.
pub(crate) const TANH: Cells<8, 6> = Cells {
    points: of_bits([
        0x3f25c36d, 0x3fc7ca0d, 0x401f8595, 0x406dae18, 0x40b37093, 0x40ff1402, 0x00000000,
        0x3e9b3f74,
    ]),
    values: of_bits([
        0x3f11eb18, 0x3f6a620d, 0x3f7c85a3, 0x3f7fb21a, 0x3f7ffe3c, 0x3f7ffffc, 0x7149f2ca,
        0x3e96a89e,
    ]),
    coefficients: [
        of_bits([
            0x3f2cd3da, 0x3e25a26c, 0x3cdd1485, 0x3b1bb413, 0x3861b451, 0x34ffbf4c, 0x00000000,
            0x3f69d57e,
        ]),
        of_bits([
            0xbec5057b, 0xbe17a5e9, 0xbcda1313, 0xbb1b84f6, 0xb8620591, 0xb5001f0c, 0xb4090d7e,
            0xbe899d39,
        ]),
        of_bits([
            0xbbbd5e50, 0x3da74227, 0x3c8d6137, 0x3aceeb19, 0x3818c927, 0x34ac9ece, 0xbeaaa996,
            0xbe66c2ec,
        ]),
        of_bits([
            0x3e07ccc0, 0xbcd02af8, 0xbc05a6f5, 0xba4dd362, 0xb795cf2d, 0xb42857c8, 0xb9346d75,
            0x3e1f395f,
        ]),
        of_bits([
            0xbd8300e0, 0xb9a27f3d, 0x3b3fb684, 0x39a183ac, 0x36d1296e, 0x3373a94a, 0x3e0a2d93,
            0x3d579e56,
        ]),
        of_bits([
            0xbb7b3c1f, 0x3bb7bb80, 0xba38b6c2, 0xb8da3813, 0xb63235a5, 0xb2d2322c, 0xbbebbd26,
            0xbdae3cd1,
        ]),
    ],
};

/// 2a·m(a), where Φ(−a) = e^(−a²/2)·m(a); the seventh coefficient as in [`TANH`].
pub(crate) const GELU: Cells<8, 6> = Cells {
    points: of_bits([
        0x3f70c13e, 0x3f967813, 0x3fff33bb, 0x4049c934, 0x4095e7fe, 0x40d6db6c, 0x00000000,
        0x3e88f20b,
    ]),
    values: of_bits([
        0x3f020000, 0x3f100000, 0x3f2c0000, 0x3f3c0000, 0x3f440000, 0x3f480000, 0x7149f2ca,
        0x3e600000,
    ]),
    coefficients: [
        of_bits([
            0x3e88ca91, 0x3e4ea4a4, 0x3daf9fed, 0x3d05dbf7, 0x3c49be68, 0x3b98f226, 0x21800000,
            0x3f29b68b,
        ]),
        of_bits([
            0xbe286364, 0xbdef2687, 0xbd25fb22, 0xbc447241, 0xbb5fffef, 0xba7ceed7, 0xbf4c422a,
            0xbefb1fb7,
        ]),
        of_bits([
            0x3da80341, 0x3d61de06, 0x3c82a079, 0x3b750614, 0x3a56d3c1, 0x3936c3bf, 0x3f000002,
            0x3e93573f,
        ]),
        of_bits([
            0xbd1196cc, 0xbcba1c3a, 0xbbb61fb5, 0xba89ce2f, 0xb93bd5c1, 0xb7f3d68c, 0xbe882a24,
            0xbe1430b4,
        ]),
        of_bits([
            0x3c60b254, 0x3c0a0ef3, 0x3ae90611, 0x398f9003, 0x381b35ea, 0x369a6f77, 0x3dff712c,
            0x3d898a0f,
        ]),
        of_bits([
            0xbba43b08, 0xbb363a2b, 0xba0c3900, 0xb8853740, 0xb70035a7, 0xb537339c, 0xbd523c76,
            0xbd0d3c93,
        ]),
    ],
};

/// (By docs/fits/cells_8.py, as the next.) log1p w − w of w from 0 to 1: in cells an eighth wide, with values of 12 bits behind the point.
pub(crate) const SOFTPLUS: Cells<8, 5> = Cells {
    points: of_bits([
        0x00000000, 0x3e416b20, 0x3ea38fa9, 0x3edf5e04, 0x3f0ec7af, 0x3f316969, 0x3f4e0825,
        0x3f6dae3b,
    ]),
    values: of_bits([
        0x00000000, 0xbc820000, 0xbd2d0000, 0xbd980000, 0xbdea8000, 0xbe2a8000, 0xbe5b8000,
        0xbe8b2000,
    ]),
    coefficients: [
        of_bits([
            0x00000000, 0xbe22b05d, 0xbe77ec18, 0xbe9b8505, 0xbeb7514a, 0xbed194b5, 0xbee4505c,
            0xbef6801a,
        ]),
        of_bits([
            0xbeffffb7, 0xbeb51dff, 0xbe930b76, 0xbe783324, 0xbe52ffdb, 0xbe32a0c0, 0xbe1d2ee3,
            0xbe09ad26,
        ]),
        of_bits([
            0x3eaa941c, 0x3e4b1dc6, 0x3e149777, 0x3de6636e, 0x3db49eaa, 0x3d8cad61, 0x3d683814,
            0x3d3e62ac,
        ]),
        of_bits([
            0xbe7b9e86, 0xbe0076bf, 0xbda9866a, 0xbd70e01a, 0xbd2f03e7, 0xbcf8b9cf, 0xbcc142e7,
            0xbc92fa13,
        ]),
        of_bits([
            0x3e20a735, 0x3dafb980, 0x3d4c1907, 0x3d0e7c91, 0x3cac372c, 0x3c752931, 0x3c3a0917,
            0x3bd282f0,
        ]),
    ],
};

/// (a − tanh a)/a³ in the first four cells, where [`TANH`] has its own, and in the others tanh a, with so few bits behind
/// the point that a less the value is exact; the seventh coefficient as in [`TANH`].
pub(crate) const TANH_SHRINK: Cells<8, 6> = Cells {
    points: of_bits([
        0x3f6f8a70, 0x3fc3ddbc, 0x401a15ff, 0x40669340, 0x40ad493a, 0x411051ec, 0x3e1aa2d1,
        0x3edef4e8,
    ]),
    values: of_bits([
        0x3e7d0fe3, 0x3e311e67, 0x3f7be21c, 0x3f7f9ec0, 0x3f7ffd68, 0x3f800000, 0x3ea91fc6,
        0x3e9ea4e6,
    ]),
    coefficients: [
        of_bits([
            0xbe0b5691, 0xbddcae94, 0x3d02ad72, 0x3b425b09, 0x38a5f002, 0x35a06d3d, 0xbd21f116,
            0xbdcd20ba,
        ]),
        of_bits([
            0x3b586beb, 0x3d07a3a4, 0xbd00929f, 0xbb421204, 0xb8a650cf, 0x36f32f3a, 0xbe0124bd,
            0xbda863d0,
        ]),
        of_bits([
            0x3d1e8005, 0x3a9d0ba2, 0x3ca5dfad, 0x3b00ff75, 0x385e30f6, 0x37953554, 0x3cff0708,
            0x3d842d0b,
        ]),
        of_bits([
            0xbcb9c886, 0xbbfac584, 0xbc1b3890, 0xba80198f, 0xb7d7d76e, 0x37ad0b37, 0x3d3fb129,
            0x3c1f80c6,
        ]),
        of_bits([
            0x3a91ee8d, 0x3b97f8bd, 0x3b579f35, 0x39ca77a8, 0x372a3772, 0x374ff666, 0xbc94d8f5,
            0xbce0fdff,
        ]),
        of_bits([
            0x3bcabb6a, 0xbaa9b962, 0xba38b78b, 0xb9093815, 0xb68f35ab, 0x367834eb, 0xbc863c14,
            0x3ba93c01,
        ]),
    ],
};

/// 2^(j/8) for j from 0 to 7: its bits less j·2^20, what its place adds to them.
pub(crate) const EIGHTHS: [f32; 8] = of_bits([
    0x00000000, 0xfffb95c2, 0xfff837f0, 0xfff5fed7, 0xfff504f3, 0xfff5672a, 0xfff744fd, 0xfffac0c7,
]);

/// What the number that [`EIGHTHS`] makes lacks of 2^(j/8), relative to it.
pub(crate) const EIGHTHS_LACK: [f32; 8] = of_bits([
    0x00000000, 0xb24e0611, 0x33092801, 0xb3051aa8, 0x329302ae, 0x31b3d0e5, 0xb27ce182, 0xb1d290be,
]);

/// [`EIGHTHS`] of eight bits, so that their products with [`GELU`]'s values are exact.
pub(crate) const ROUND_EIGHTHS: [f32; 8] = of_bits([
    0x00000000, 0xfffc0000, 0xfff80000, 0xfff40000, 0xfff40000, 0xfff40000, 0xfff80000, 0xfffc0000,
]);

/// What they lack, as the argument of an exponential.
pub(crate) const ROUND_EIGHTHS_LACK: [f32; 8] = of_bits([
    0x00000000, 0x3bc28f8c, 0xbb3c4a39, 0xbcc62609, 0xbc390a7f, 0xbc69b886, 0x3bde0527, 0x3c2d98d1,
]);
