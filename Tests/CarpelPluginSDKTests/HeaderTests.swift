import TestSupport
import Testing

@Suite struct HeaderTests {
    /// What has been compiled against the header must go on working: a change of these is a new ABI version.
    private static let layout = """
        #include "carpel_plugin.h"
        #ifdef __cplusplus
        #define CHECK(condition) static_assert(condition, #condition)
        #else
        #define CHECK(condition) _Static_assert(condition, #condition)
        #endif
        CHECK(CARPEL_PLUGIN_ABI_VERSION == 1);
        CHECK(sizeof(struct carpel_buffer) == 16);
        CHECK(sizeof(struct carpel_environment) == 48);
        CHECK(offsetof(struct carpel_environment, name) == 8);
        CHECK(offsetof(struct carpel_environment, state_folder) == 16);
        CHECK(offsetof(struct carpel_environment, configuration) == 24);
        CHECK(offsetof(struct carpel_environment, machine_group) == 40);
        CHECK(sizeof(struct carpel_call) == 48);
        CHECK(offsetof(struct carpel_call, verb) == 8);
        CHECK(offsetof(struct carpel_call, request) == 16);
        CHECK(offsetof(struct carpel_call, deadline) == 32);
        CHECK(offsetof(struct carpel_call, cancelled) == 40);
        CHECK(sizeof(struct carpel_plugin) == 48);
        CHECK(offsetof(struct carpel_plugin, struct_size) == 8);
        CHECK(offsetof(struct carpel_plugin, create) == 16);
        CHECK(offsetof(struct carpel_plugin, call) == 24);
        CHECK(offsetof(struct carpel_plugin, free_buffer) == 32);
        CHECK(offsetof(struct carpel_plugin, destroy) == 40);
        static void *create(const struct carpel_environment *environment, struct carpel_buffer *answer) {
            (void)environment; (void)answer; return (void *)"handle";
        }
        static void call(void *handle, const struct carpel_call *call, struct carpel_buffer *answer) {
            (void)handle; (void)call; (void)answer;
        }
        static void free_buffer(void *handle, struct carpel_buffer answer) { (void)handle; (void)answer; }
        static void destroy(void *handle) { (void)handle; }
        const struct carpel_plugin *carpel_plugin(void) {
            static const struct carpel_plugin table = {
                CARPEL_PLUGIN_ABI_VERSION, sizeof(struct carpel_plugin), create, call, free_buffer, destroy};
            return &table;
        }
        """

    @Test(arguments: [
        ("clang", "c", "c11"), ("clang", "c++", "c++17"), ("cc", "c", "c11"), ("c++", "c++", "c++17"),
    ])
    func theHeaderCompilesWithoutAWarningAndExportsOneSymbol(
        _ compiler: String, _ language: String, _ standard: String
    ) async throws {
        let folder = try TemporaryFolder()
        let source = try folder.file("plugin.source", Self.layout)
        let symbols = try await shell(
            """
            "$1" -x "$2" "-std=$3" -Wall -Wextra -Wpedantic -Werror -fvisibility=hidden -shared -fPIC \
                -I "$4/Sources/CCarpelPlugin/include" "$5" -o "$5.so" && nm -D --defined-only "$5.so"
            """, compiler, language, standard, repository, source)
        let exported = symbols.split(separator: "\n").filter { $0.contains(" T ") }.compactMap {
            $0.split(separator: " ").last
        }
        #expect(exported == ["carpel_plugin"])
    }
}
