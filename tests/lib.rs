//! Holds nothing: the tests are in `integration/`, in one binary, since linking is slow.
