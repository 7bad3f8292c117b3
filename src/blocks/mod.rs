//! The engine of every form that takes more than one kernel: a walk over arrays in blocks that stay in
//! the first-level cache.
//!
//! Such a form runs its kernels one after another on one block, through scratch memory on the stack, the
//! last of them to the destination. So every form joins with every operation without a loop of its own
//! for each pair. In cache that is nearly as fast as one loop that keeps everything in registers, since
//! the scratch is in L1; beyond it, reading and writing in turn costs 20 to 50 % of the speed that
//! memory allows.
//!
//! The parts, from below: [`Src`], [`Dst`] and [`Scratch`] are the memory that a kernel gets to see;
//! [`Walk`] cuts arrays into [`Block`]s and deals them out to threads; [`Operand`] is what may be
//! broadcast over a block.
//!
//! The types stand for promises. [`Rows`](crate::Rows) and [`RowsMut`](crate::RowsMut) hold borrowed
//! elements, and who starts a walk has checked that they are of one shape. A walk takes every element of
//! its range once, and ranges of several threads do not overlap. Hence a `Src` is valid for reads and a
//! `Dst` for writes, no other thread touches what it covers, and the two are the same memory or do not
//! overlap. Kernels rely on that.

mod operand;
mod span;
mod walk;

pub use operand::Broadcast;
pub(crate) use operand::{Operand, Value};
pub(crate) use span::{BLOCK, Dst, LINE, Room, Scratch, Src};
pub(crate) use walk::{Block, Threads, Walk, words};
