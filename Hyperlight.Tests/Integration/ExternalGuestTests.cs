using System.Text;

namespace Hyperlight.Tests.Integration;

/// <summary>Guests that are built from sources outside the repository, as the README of the guests tells.</summary>
[TestFixture]
internal sealed class ExternalGuestTests
{
    private const string Cpp = """
        #include <hyperlight_guest_ext.h>
        #include <macro.h>
        #include <assert.h>
        #include <ctype.h>
        #include <errno.h>
        #include <inttypes.h>
        #include <setjmp.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <shape.h>

        extern "C" int32_t one_more(int32_t value);

        struct Square : Shape {
            int32_t side;
            explicit Square(int32_t length) : side(length) {}
            int32_t area() const override { return side * side; }
        };

        struct Counter {
            int32_t value;
            Counter() : value(one_more(41)) {}
            ~Counter() { value = 0; }
        };

        static Counter counter;

        static int32_t area(int32_t side)
        {
            int unused;
            Shape *shape = new Square(side);
            int32_t result = shape->area();
            delete shape;
            return result;
        }

        static int32_t constructed() { assert(counter.value != 0); return counter.value; }
        static char *source() { return strdup(__FILE__); }
        static char *header() { return strdup(header_path()); }
        static int32_t scaled(int32_t value) { return (int32_t)(value * SCALE); }

        HYPERLIGHT_WRAP_FUNCTION(area, Int, 1, Int)
        HYPERLIGHT_WRAP_FUNCTION(constructed, Int, 0)
        HYPERLIGHT_WRAP_FUNCTION(source, String, 0)
        HYPERLIGHT_WRAP_FUNCTION(header, String, 0)
        HYPERLIGHT_WRAP_FUNCTION(scaled, Int, 1, Int)

        void hyperlight_main(void)
        {
            HYPERLIGHT_REGISTER_FUNCTION("Area", area);
            HYPERLIGHT_REGISTER_FUNCTION("Constructed", constructed);
            HYPERLIGHT_REGISTER_FUNCTION("Source", source);
            HYPERLIGHT_REGISTER_FUNCTION("Header", header);
            HYPERLIGHT_REGISTER_FUNCTION("Scaled", scaled);
        }
        """;

    private const string Header = """
        #pragma once
        struct Shape {
            virtual ~Shape() {}
            virtual int32_t area() const = 0;
        };
        static inline const char *header_path() { return __FILE__; }
        """;

    private const string C = """
        #include <stdint.h>
        int32_t one_more(int32_t value) { int unused; return value + ONE; }
        """;

    private string _directory = null!;

    [SetUp]
    public void WriteSources()
    {
        GuestToolchain.Require();
        _directory = Directory.CreateTempSubdirectory("hyperlight-guest-").FullName;
        Directory.CreateDirectory(Path.Combine(_directory, "include"));
        File.WriteAllText(Path.Combine(_directory, "guest.cpp"), Cpp);
        File.WriteAllText(Path.Combine(_directory, "one_more.c"), C);
        File.WriteAllText(Path.Combine(_directory, "include", "shape.h"), Header);
    }

    [TearDown]
    public void DeleteSources()
    {
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Test]
    public void C_and_cpp_sources_become_a_guest_that_runs()
    {
        string guest = Path.Combine(_directory, "out", "guest.elf");

        // Paths are relative to where make is called. Both sources have a warning, which is no error.
        (int exitCode, string output) = Make(
            $"BUILD={_directory}/build", "GUEST=out/guest.elf", "SOURCES=guest.cpp one_more.c", "MODE=sse",
            "GUEST_CPPFLAGS=-Iinclude -DONE=1", "GUEST_CXXFLAGS=-DSCALE=1.5");
        Assert.That(exitCode, Is.Zero, output);

        using MultiUseSandbox sandbox = new SandboxBuilder().UseEmulator().WithGuest(guest).Build();
        Assert.Multiple(() =>
        {
            Assert.That(sandbox.Call<int>("Area", 7), Is.EqualTo(49));
            Assert.That(sandbox.Call<int>("Constructed"), Is.EqualTo(42), "the constructor of a static object");
            Assert.That(sandbox.Call<int>("Scaled", 10), Is.EqualTo(15), "floating point");
            Assert.That(sandbox.Call<string>("Source"), Is.EqualTo("./guest.cpp"));
            Assert.That(sandbox.Call<string>("Header"), Is.EqualTo("./shape.h"));
            Assert.That(output, Does.Contain("unused variable"));
        });
        byte[] image = File.ReadAllBytes(guest);
        Assert.That(image.AsSpan().IndexOf(Encoding.UTF8.GetBytes(_directory)), Is.Negative, "a path of the builder's machine");
        Assert.That(image.AsSpan().IndexOf(Encoding.UTF8.GetBytes(GuestToolchain.Guests)), Is.Negative, "a path of the builder's machine");
    }

    [TestCase("SOURCES is not", "GUEST=guest.elf")]
    [TestCase("general or sse", "GUEST=guest.elf", "SOURCES=one_more.c", "MODE=avx")]
    [TestCase("neither C, C++ nor assembler", "GUEST=guest.elf", "SOURCES=guest.rs")]
    public void A_command_that_makes_no_sense_says_what_is_wrong(string message, params string[] arguments)
    {
        (int exitCode, string output) = Make(arguments);

        Assert.That(exitCode, Is.Not.Zero);
        Assert.That(output, Does.Contain(message));
    }

    [Test]
    public void A_new_guest_of_the_repository_is_compiled_in_the_mode_it_names()
    {
        // The source is named in a way that no list of directories has.
        (int exitCode, string output) = Make(
            "-n", $"BUILD={_directory}/build", "RUNTIME_GUESTS=fresh", "fresh_MODE=sse", "fresh_SOURCES=asmguest/../hello/main.c",
            $"{_directory}/build/fresh.elf");

        string compilation = output.Split('\n').Single(line => line.Contains(" -c asmguest/../hello/main.c", StringComparison.Ordinal));
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(compilation, Does.Contain("-mfpmath=sse").And.Not.Contain("-mgeneral-regs-only"));
    }

    private (int ExitCode, string Output) Make(params string[] arguments) => GuestToolchain.Make(_directory, arguments);
}
