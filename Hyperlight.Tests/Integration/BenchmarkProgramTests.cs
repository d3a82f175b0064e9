using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Hyperlight.Tests.Integration;

/// <summary>The programs of the benchmark guest compute in a guest what the same sources compute outside of one.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.Runnable))]
internal sealed class BenchmarkProgramTests(TestTarget target)
{
    private const int Sha256 = 4;
    private const int Matrix = 5;

    /// <summary>Of one round, in the order of the guest's numbers: what the sources return that gcc compiled for the host.</summary>
    private static readonly ulong[] Results =
    [
        0xFFFF_FFFF_7C0B_43A3,
        0x57A9_D18E_707A_516A,
        0x2731,
        0x54AD_4D76_C75A_489B,
        0x34F8_C8A9_AD23_02C9,
        0x601F_5F76_89C7_DB58,
        0x58E2_ED2F_6972_FEEF,
        0x8BBE_FA7A_53A2_433C,
    ];

    private bool HasVectors => target.GuestFile == TestTargets.SseGuest;

    [Test]
    public void Every_program_returns_what_it_returns_outside_of_a_guest()
    {
        using MultiUseSandbox sandbox = Build();
        for (int program = 0; program < Results.Length; program++)
        {
            // The program with vectors does nothing in a guest that has none.
            ulong expected = program == Matrix && !HasVectors ? 0 : Results[program];
            Assert.That(sandbox.Call<ulong>("RunProgram", (ulong)program, 1UL), Is.EqualTo(expected), $"program {program}");
        }
    }

    [Test]
    public void The_hash_is_that_of_the_runtime()
    {
        byte[] message = new byte[8192];
        uint state = 1;
        foreach (ref byte b in message.AsSpan())
        {
            state = (state * 1664525) + 1013904223;
            b = (byte)(state >> 8);
        }

        using MultiUseSandbox sandbox = Build();
        ulong first = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(message));
        Assert.That(sandbox.Call<ulong>("RunProgram", (ulong)Sha256, 1UL), Is.EqualTo(first));
    }

    private MultiUseSandbox Build() => target.BuilderFor(HasVectors ? "benchguest-sse.elf" : "benchguest.elf")
        .WithConfiguration(new SandboxConfiguration { ScratchSize = 8 << 20 })
        .Build();
}
