//! The networks: input `[batch, 3, height, width]` to embedding and logits.
//!
//! - [`backbone`]: input to feature map `[batch, channels, height / stride, width / stride]`;
//! - [`pool`]: feature map to one vector a head;
//! - [`head`]: vector to the feature;
//! - [`embedder`]: all of it, and the total classifier on the concatenated features;
//! - [`finder`]: the small network that proposes where in a photo the fluke is;
//! - [`grouped`]: grouped convolution where a backend has none that is fast;
//! - `channels_last`: batch norm as GPUs train it without copying the map;
//! - [`precision`]: how many bits a backbone computes with while it is trained;
//! - [`named`]: a network's tensors by name, in and out;
//! - `trace`: what a network costs, read off its shapes;
//! - `folded`: a brick in evaluation on the CPU, and `vector`, how its loops and those of `cpu` run;
//! - `cpu`: a brick's gradients for training on the CPU (feature `train`).

pub mod backbone;
mod channels_last;
#[cfg(feature = "train")]
mod cpu;
pub mod embedder;
pub mod finder;
#[cfg(feature = "flex")]
mod folded;
pub mod grouped;
pub mod head;
pub mod layer;
pub mod named;
pub mod pool;
pub mod precision;
mod trace;
#[cfg(feature = "flex")]
mod vector;

pub use embedder::{Answering, Embedder, EmbedderConfig, Network};
pub use finder::{Finder, FinderConfig, LOOKS};
pub use precision::Precision;
