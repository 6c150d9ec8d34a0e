// The wire between Segue's plug-in and its renderer, as protocol/spec.md says: the twin of the Python package
// segue_protocol. Header-only, C++17; needs msgpack-cxx (MSGPACK_NO_BOOST) and libsodium.
//
//   codec.hpp            pack and parse one message
//   session.hpp          the handshake, seals and sequence numbers
//   connection_file.hpp  where the renderer is, and the keys
//
// No function lets an exception out: what is refused comes back as a Failure. None of it is for an audio thread.
#pragma once

#include "protocol/codec.hpp"
#include "protocol/connection_file.hpp"
#include "protocol/session.hpp"
