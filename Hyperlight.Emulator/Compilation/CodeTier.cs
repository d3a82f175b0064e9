using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Compilation.X64;

namespace Hyperlight.Emulator.Compilation;

/// <summary>What translates guest code that runs often.</summary>
internal enum CodeTier
{
    /// <summary>The best that this process can use.</summary>
    Best,

    /// <summary>Machine code of the host.</summary>
    Machine,

    /// <summary>Intermediate code, which the runtime compiles.</summary>
    Intermediate,
}

/// <summary>Creates compilers.</summary>
internal static class CodeTiers
{
    /// <summary>The compiler that options ask for, or <see langword="null"/> where everything is interpreted.</summary>
    public static IRegionCompiler? Create(EmulatorOptions options)
    {
        if (!options.TranslateHotCode)
        {
            return null;
        }

        if (WhyNoMachineCode(options) is null)
        {
            return new EmittingCompiler(options.MostSharedBytes, options.VerifiesEmittedCode);
        }

        return RuntimeFeature.IsDynamicCodeCompiled ? new IlCompiler() : null;
    }

    /// <summary>Why code does not become machine code, or <see langword="null"/> if it does.</summary>
    public static string? WhyNoMachineCode(EmulatorOptions options) =>
        options.Tier == CodeTier.Intermediate ? "an option asks for it" : EmittingCompiler.WhyUnusable;
}
