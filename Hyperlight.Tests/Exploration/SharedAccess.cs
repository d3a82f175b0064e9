using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Hyperlight.Tests.Exploration;

/// <summary>Which instructions are accesses to what threads share.</summary>
internal static class SharedAccess
{
    /// <summary>The variable and whether it is written, or <see langword="null"/> if the instruction is none.</summary>
    public static (string Variable, bool IsWrite)? Of(Instruction instruction) => instruction.Operand switch
    {
        MethodReference method => OfCall(method, instruction),
        FieldReference field when instruction.Previous?.OpCode == OpCodes.Volatile =>
            (field.DeclaringType.Name, instruction.OpCode.Code is Code.Stfld or Code.Stsfld),
        _ => null,
    };

    private static (string Variable, bool IsWrite)? OfCall(MethodReference method, Instruction instruction) =>
        (method.DeclaringType.FullName, method.Name) switch
        {
            ("System.Threading.Interlocked", _) => (OwnerOf(instruction), true),
            ("System.Threading.Volatile", "Read") => (OwnerOf(instruction), false),
            ("System.Threading.Volatile", "Write") => (OwnerOf(instruction), true),

            // What happens inside a lock is one access: nothing in it is instrumented but accesses of its own.
            ("System.Threading.Monitor", "Enter") => (OwnerOf(instruction), true),
            ("System.Threading.CancellationToken", "UnsafeRegister" or "Register") => ("token", true),
            ("System.Threading.CancellationTokenSource", "Cancel") => ("token", true),
            ("System.Threading.CancellationToken", "get_IsCancellationRequested") => ("token", false),
            ("System.Threading.CancellationTokenRegistration", "Dispose") => ("token", true),
            _ => null,
        };

    /// <summary>The type whose field is passed by reference, which is one name for all its fields.</summary>
    private static string OwnerOf(Instruction call)
    {
        for (Instruction? i = call.Previous; i is not null; i = i.Previous)
        {
            if (i.OpCode.Code is Code.Ldflda or Code.Ldsflda or Code.Ldfld)
            {
                return ((FieldReference)i.Operand).DeclaringType.Name;
            }
        }

        return "unknown";
    }
}
