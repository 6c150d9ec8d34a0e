// The connection file: how a client finds the renderer, and the keys that let it in. As secret as a password.
// The twin of the reading side of segue_protocol/connection_file.py.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#ifndef _WIN32
#include <csignal>
#include <unistd.h>
#endif

#include "environment.hpp"
#include "errors.hpp"
#include "flat_json.hpp"
#include "rules.hpp"
#include "scan.hpp"

namespace segue::protocol {

inline constexpr std::size_t max_file_bytes = 16 * 1024;

enum class Owner { alive, gone, elsewhere };

// Keys in Z85; `secret` decoded.
struct ConnectionFile {
    std::string protocol;
    std::string renderer;
    std::string endpoint;
    std::string server_public_key;
    std::string client_public_key;
    std::string client_secret_key;
    std::array<std::uint8_t, 32> secret{};
    std::int64_t pid = 0;
    std::string host;
    std::string started;
    std::int64_t created = 0;
};

// Where the renderer writes and clients look, one for each user of a machine; SEGUE_CONNECTION names another.
inline std::string default_path() {
    if (const std::string given = variable("SEGUE_CONNECTION"); !given.empty()) return given;
#if defined(_WIN32)
    const std::string local = variable("LOCALAPPDATA");
    return (local.empty() ? variable("USERPROFILE") + "\\AppData\\Local" : local) + "\\segue\\connection.json";
#elif defined(__APPLE__)
    return variable("HOME") + "/Library/Application Support/segue/connection.json";
#else
    std::string base = variable("XDG_RUNTIME_DIR");
    if (base.empty()) base = variable("XDG_STATE_HOME");
    if (base.empty()) base = variable("HOME") + "/.local/state";
    return base + "/segue/connection.json";
#endif
}

namespace detail {

inline Failure no_connection(const std::string& message, std::string_view remedy = {}) {
    return failure(Code::connection, message, remedy);
}

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

inline std::string read_some(std::FILE* file, std::size_t most) {
    std::string text(most, '\0');
    text.resize(std::fread(text.data(), 1, most, file));
    return text;
}

#ifndef _WIN32
inline std::optional<Failure> check_private(const std::string& path, std::FILE* file) {
    struct stat state {};
    if (fstat(fileno(file), &state) != 0 || !S_ISREG(state.st_mode))
        return no_connection("expected the connection file " + path + " to be a regular file");
    if ((state.st_mode & 077) != 0)
        return no_connection("expected a connection file that only its owner can read, others can read " + path,
                             "others may have read its keys: remove it and start the renderer again");
    if (state.st_uid != geteuid())
        return no_connection("expected a connection file of this user, " + path + " belongs to another",
                             "copy it into a folder of your own, with mode 0600");
    return {};
}

// When a process began, as boot and clock ticks, so that a number used again is told apart. "" where the system does
// not tell, and for a process that has died but is still listed.
inline std::string started_of(std::int64_t pid) {
    const File boot(std::fopen("/proc/sys/kernel/random/boot_id", "r"));
    const File stat(std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r"));
    if (!boot || !stat) return {};
    std::string id = read_some(boot.get(), 64), fields = read_some(stat.get(), 4096);
    id.resize(std::min(id.find_last_not_of(" \n") + 1, id.size()));
    std::size_t at = fields.rfind(')');
    if (at == std::string::npos || fields.find_first_of("ZX", at) == at + 2) return {};
    for (int i = 0; at != std::string::npos && i < 20; ++i) at = fields.find(' ', at + 1);
    if (at == std::string::npos) return {};
    return id + " " + fields.substr(at + 1, fields.find(' ', at + 1) - at - 1);
}
#endif

}  // namespace detail

// Whether the renderer that wrote the file still runs, as far as this machine can tell.
inline Owner owner_of(const ConnectionFile& content) {
#ifdef _WIN32
    (void)content;
    return Owner::elsewhere;  // the socket tells soon enough
#else
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) != 0 || content.host != name) return Owner::elsewhere;
    if (kill(static_cast<pid_t>(content.pid), 0) != 0 && errno == ESRCH) return Owner::gone;
    return detail::started_of(content.pid) == content.started ? Owner::alive : Owner::gone;
#endif
}

namespace detail {

inline Expected<ConnectionFile> connection_from(const std::string& path, std::string_view text) {
    const auto damaged = [&](const std::string& why) {
        return no_connection("expected a connection file in " + path + ", got a damaged one: " + why);
    };
    const auto fields = is_utf8(text) ? FlatJson::parse(text) : std::nullopt;
    if (!fields) return damaged("it is no flat JSON");
    ConnectionFile content;
    std::string secret, missing;
    const auto take = [&](const char* name, auto& value) {
        using T = std::remove_reference_t<decltype(value)>;
        const auto found = fields->find(name);
        const T* held = found == fields->end() ? nullptr : std::get_if<T>(&found->second);
        if (held != nullptr) value = *held;
        else if (missing.empty()) missing = name;
    };
    take("protocol", content.protocol);
    if (!content.protocol.empty() && !MajorMinor{}(content.protocol) &&
        content.protocol.substr(0, content.protocol.find('.')) != std::to_string(major_version))
        return failure(Code::version, "expected protocol 1.x (this side speaks " + std::string(protocol_version) +
                                          "), the renderer of " + path + " speaks " + content.protocol);
    take("renderer", content.renderer);
    take("endpoint", content.endpoint);
    take("server_public_key", content.server_public_key);
    take("client_public_key", content.client_public_key);
    take("client_secret_key", content.client_secret_key);
    take("secret", secret);
    take("pid", content.pid);
    take("host", content.host);
    take("started", content.started);
    take("created", content.created);
    if (!missing.empty()) return damaged(missing + " is missing or of another type");
    for (const std::string* key : {&content.server_public_key, &content.client_public_key, &content.client_secret_key})
        if (key->size() != 40) return damaged("a key is not Z85 of 40 characters");
    if (content.endpoint.rfind("tcp://", 0) != 0 && content.endpoint.rfind("ipc://", 0) != 0)
        return damaged("the endpoint is neither tcp:// nor ipc://");
    if (hex_rule(secret)) return damaged("the secret is not 64 hexadecimal digits");
    if (content.pid < 1 || content.pid > INT32_MAX) return damaged("there is no process of that number");
    for (std::size_t i = 0; i < content.secret.size(); ++i) {
        const char* digits = secret.data() + 2 * i;
        std::from_chars(digits, digits + 2, content.secret[i], 16);
    }
    return content;
}

}  // namespace detail

// Refuses with CONNECTION (missing, readable by others, damaged, its renderer gone unless `stale_ok`) or VERSION.
inline Expected<ConnectionFile> read_connection_file(const std::string& path, bool stale_ok = false) noexcept {
    return guarded<ConnectionFile>([&]() -> Expected<ConnectionFile> {
        const detail::File file(std::fopen(path.c_str(), "rb"));
        if (!file)
            return detail::no_connection("expected a renderer's connection file at " + path + ": " +
                                         std::strerror(errno));
#ifndef _WIN32
        if (auto refused = detail::check_private(path, file.get())) return *refused;
#endif
        const std::string text = detail::read_some(file.get(), max_file_bytes + 1);
        if (text.size() > max_file_bytes) return detail::no_connection("expected at most 16 KiB in " + path);
        Expected<ConnectionFile> content = detail::connection_from(path, text);
        if (content && !stale_ok && owner_of(*content) == Owner::gone)
            return detail::no_connection("expected a running renderer, but the one that wrote " + path + " is gone",
                                         "start the renderer again: segue serve");
        return content;
    });
}

}  // namespace segue::protocol
