//! The call layer: one row for each form, from which all its methods come.
//!
//! A row is what the form does in a few words, the rest of its documentation, its names, its arguments
//! and a body, which runs it. The body is safe code: arguments are borrowed slices or rows, and it checks
//! that they go together.

/// Forms of every operation. A row gives the method of the trait and its `par_` twin, those of
/// [`Op`](crate::Op), and the method of [`Backend`](crate::Backend) and [`OpOn`](crate::OpOn).
///
/// `name / par_name / name_of_backend [bound of E, bound of E for Op, Need]`
macro_rules! operation_calls {
    ($(#[$about:meta])* trait $Trait:ident { $($extra:tt)* } $(
        $what:literal $(#[$doc:meta])*
        $name:ident / $par:ident / $on:ident [$Typed:path, $Any:path, $Need:ident]
        <$($life:lifetime)? $(, $S:ident: $Bound:path)*>($($arg:ident: $Arg:ty),*) -> $R:ty
        = |$backend:ident, $f:ident| $body:expr;
    )*) => {
        $(#[$about])*
        pub trait $Trait: halfwave_kernels::BuiltinOp {
            $($extra)*
            $(
            #[doc = $what] $(#[$doc])* #[track_caller] #[inline]
            fn $name<$($life,)? E: $Typed $(, $S: $Bound)*>(self, $($arg: $Arg),*) -> $R
            where Self: Operation<E> { active().$on(self, $($arg),*) }
            #[doc = concat!($what, "\n\nThis is [`", stringify!($name), "`](", stringify!($Trait), "::", stringify!($name), ") on rayon's current pool.")]
            #[cfg(feature = "parallel")] #[track_caller]
            fn $par<$($life,)? E: $Typed $(, $S: $Bound)*>(self, $($arg: $Arg),*) -> $R
            where Self: Operation<E> { active().par().$on(self, $($arg),*) }
            )*
        }
        impl<O: halfwave_kernels::BuiltinOp> $Trait for O {}
        $crate::calls::operation_methods!($($Trait $what $name $par $on [$Typed, $Any, $Need] <$($life)? $(, $S: $Bound)*>
            ($($arg: $Arg),*) $R, $backend, $f, $body;)*);
    };
}

/// The inherent methods of [`operation_calls`].
macro_rules! operation_methods {
    ($($Trait:ident $what:literal $name:ident $par:ident $on:ident [$Typed:path, $Any:path, $Need:ident]
        <$($life:lifetime)? $(, $S:ident: $Bound:path)*> ($($arg:ident: $Arg:ty),*) $R:ty, $backend:ident, $f:ident, $body:expr;)*) => {
        impl crate::Backend { $(
            #[doc = concat!($what, "\n\nThis is [`", stringify!($Trait), "::", stringify!($name), "`](crate::", stringify!($Trait), "::", stringify!($name), ") with this backend: shapes, panics and an example stand there.")]
            #[track_caller] #[inline]
            pub fn $on<$($life,)? O: Operation<E>, E: $Typed $(, $S: $Bound)*>(self, op: O, $($arg: $Arg),*) -> $R {
                let ($backend, $f) = (self, self.bind(op));
                $body
            }
        )* }
        impl crate::OpOn { $(
            #[doc = concat!($what, "\n\nThis is [`", stringify!($Trait), "::", stringify!($name), "`](crate::", stringify!($Trait), "::", stringify!($name), ") of the operation with the backend: shapes, panics and an example stand there.\n\n# Errors\n", $crate::calls::errors!($Need))]
            #[track_caller]
            pub fn $name<$($life,)? E: $Any $(, $S: $Bound)*>(self, $($arg: $Arg),*) -> Result<$R, crate::OpError> {
                self.op().check::<E>(crate::op::Need::$Need)?;
                let ($backend, $f) = (self.backend(), self);
                Ok($body)
            }
        )* }
        impl crate::Op { $(
            #[doc = concat!($what, "\n\nThis is [`", stringify!($Trait), "::", stringify!($name), "`](crate::", stringify!($Trait), "::", stringify!($name), ") of the operation: shapes, panics and an example stand there.\n\n# Errors\n", $crate::calls::errors!($Need), ", or `HALFWAVE_ISA` names a backend that cannot be had.")]
            #[track_caller]
            pub fn $name<$($life,)? E: $Any $(, $S: $Bound)*>(self, $($arg: $Arg),*) -> Result<$R, crate::OpError> {
                self.on(crate::backend()?).$name($($arg),*)
            }
            #[doc = concat!($what, "\n\nThis is [`", stringify!($name), "`](crate::Op::", stringify!($name), ") on rayon's current pool.\n\n# Errors\nAs without a pool: ", $crate::calls::errors!($Need), ", or `HALFWAVE_ISA` names a backend that cannot be had.")]
            #[cfg(feature = "parallel")] #[track_caller]
            pub fn $par<$($life,)? E: $Any $(, $S: $Bound)*>(self, $($arg: $Arg),*) -> Result<$R, crate::OpError> {
                self.on(crate::backend()?.par()).$name($($arg),*)
            }
        )* }
    };
}

/// When an `Op` refuses a call, in words.
macro_rules! errors {
    (Takes) => {
        "If the operation does not take `E` (see [`Op::dtypes`](crate::Op::dtypes))"
    };
    (Derivative) => {
        "If `E` is not a float dtype"
    };
    (FromOutput) => {
        "If `E` is not a float dtype, the output does not tell the derivative (see [`Op::has_backward_from_output`](crate::Op::has_backward_from_output))"
    };
}

/// Forms of a value that is no operation, such as [`Prelu`](crate::Prelu). A row gives its method, the
/// `par_` twin and the method of [`Backend`](crate::Backend).
///
/// `name [generics] / par_name / name_of_backend [generics]`
macro_rules! value_calls {
    ($(#[$about:meta])* impl [$($header:tt)*] $Owner:literal as $value:ident: $Value:ty, self: $Receiver:ty; $(
        $what:literal $(#[$doc:meta])*
        $name:ident [$($own:tt)*] / $par:ident / $on:ident [$($all:tt)*] ($($arg:ident: $Arg:ty),*) -> $R:ty
        = |$backend:ident| $body:expr;
    )*) => {
        $(#[$about])*
        impl $($header)* { $(
            #[doc = $what] $(#[$doc])* #[track_caller]
            pub fn $name<$($own)*>(self: $Receiver, $($arg: $Arg),*) -> $R { active().$on(self, $($arg),*) }
            #[doc = concat!($what, "\n\nThis is [`", stringify!($name), "`](", $Owner, "::", stringify!($name), ") on rayon's current pool.")]
            #[cfg(feature = "parallel")] #[track_caller]
            pub fn $par<$($own)*>(self: $Receiver, $($arg: $Arg),*) -> $R { active().par().$on(self, $($arg),*) }
        )* }
        impl crate::Backend { $(
            #[doc = concat!($what, "\n\nThis is [`", $Owner, "::", stringify!($name), "`](crate::", $Owner, "::", stringify!($name), ") with this backend: shapes, panics and an example stand there.")]
            #[track_caller]
            pub fn $on<$($all)*>(self, $value: $Value, $($arg: $Arg),*) -> $R {
                let $backend = self;
                $body
            }
        )* }
    };
}

/// Functions. A row gives the function, its `par_` twin and the method of [`Backend`](crate::Backend).
macro_rules! function_calls {
    (in $path:literal; $($what:literal $(#[$doc:meta])*
        $name:ident / $par:ident [$($generics:tt)*] ($($arg:ident: $Arg:ty),*) -> $R:ty
        = |$backend:ident| $body:expr;
    )*) => {
        $(
        #[doc = $what] $(#[$doc])* #[track_caller]
        pub fn $name<$($generics)*>($($arg: $Arg),*) -> $R { active().$name($($arg),*) }
        #[doc = concat!($what, "\n\nThis is [`", stringify!($name), "()`] on rayon's current pool.")]
        #[cfg(feature = "parallel")] #[track_caller]
        pub fn $par<$($generics)*>($($arg: $Arg),*) -> $R { active().par().$name($($arg),*) }
        )*
        impl crate::Backend { $(
            #[doc = concat!($what, "\n\nThis is [`", stringify!($name), "()`](crate::", $path, stringify!($name), "()) with this backend: shapes, panics and an example stand there.")]
            #[track_caller]
            pub fn $name<$($generics)*>(self, $($arg: $Arg),*) -> $R {
                let $backend = self;
                $body
            }
        )* }
    };
}

pub(crate) use {errors, function_calls, operation_calls, operation_methods, value_calls};
