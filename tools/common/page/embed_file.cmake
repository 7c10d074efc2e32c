# cmake -DINPUT=FILE -DOUTPUT=FILE.cpp -DNAME=identifier -P embed_file.cmake: see EmbedFile.cmake.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
# Lines of 32 bytes: compilers read long lines slowly.
string(REGEX REPLACE "(................................................................................................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include <string_view>

namespace mxp::tools::embedded {

namespace {
constexpr unsigned char kBytes_${NAME}[] = {
${bytes}
};
}  // namespace

std::string_view ${NAME}();
std::string_view ${NAME}() { return {reinterpret_cast<const char*>(kBytes_${NAME}), sizeof(kBytes_${NAME})}; }

}  // namespace mxp::tools::embedded
")
