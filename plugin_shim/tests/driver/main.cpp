// Reads commands from standard input, a line each, and answers each with a line of JSON: see driver.cpp.
#include <exception>
#include <iostream>
#include <string>

#include "driver.hpp"
#include "json.hpp"

using segue::plugin::driver::quoted;

int main() {
    segue::plugin::driver::Driver driver;
    for (std::string line; std::getline(std::cin, line) && line != "quit";) {
        if (line.empty()) continue;
        try {
            std::cout << driver.run(line) << std::endl;
        } catch (const std::exception& error) {
            std::cout << "{\"ok\": false, \"error\": " << quoted(error.what()) << "}" << std::endl;
        }
    }
    return 0;
}
