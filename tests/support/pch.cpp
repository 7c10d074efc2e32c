// Carries the precompiled header; see tests/CMakeLists.txt.
