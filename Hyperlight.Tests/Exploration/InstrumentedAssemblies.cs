using System.Reflection;
using System.Runtime.Loader;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Hyperlight.Tests.Exploration;

/// <summary>
/// The libraries as they were built, with a call of <see cref="Explorer.Point"/> before each access to shared state:
/// interlocked and volatile operations, locks, and tokens. They are loaded a second time, together with a second copy of the
/// tests, so that the code that is explored is the code that is shipped.
/// </summary>
internal sealed class InstrumentedAssemblies : AssemblyLoadContext
{
    private static readonly string[] Instrumented = ["Hyperlight.Host", "Hyperlight.Linux"];

    private InstrumentedAssemblies()
        : base("Instrumented")
    {
    }

    /// <summary>The copy of a type of the tests that uses the instrumented libraries.</summary>
    public static Type CopyOf(Type type) =>
        new InstrumentedAssemblies().LoadFromAssemblyPath(type.Assembly.Location).GetType(type.FullName!, throwOnError: true)!;

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (assemblyName.Name == typeof(Explorer).Assembly.GetName().Name)
        {
            return LoadFromAssemblyPath(typeof(Explorer).Assembly.Location);
        }

        if (!Instrumented.Contains(assemblyName.Name))
        {
            return null;
        }

        using var image = new MemoryStream();
        using (var module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, $"{assemblyName.Name}.dll")))
        {
            Instrument(module);
            module.Write(image);
        }

        image.Position = 0;
        return LoadFromStream(image);
    }

    private static void Instrument(ModuleDefinition module)
    {
        MethodReference point = module.ImportReference(typeof(Explorer).GetMethod(nameof(Explorer.Point)));
        MethodReference dispose = module.ImportReference(typeof(Explorer).GetMethod(nameof(Explorer.DisposeRegistration)));
        ReplaceThreadOfCancellation(module);
        foreach (MethodDefinition method in module.GetTypes().SelectMany(t => t.Methods).Where(m => m.HasBody))
        {
            Instruction[] accesses = [.. method.Body.Instructions.Where(i => SharedAccess.Of(i) is not null)];
            if (accesses.Length == 0)
            {
                continue;
            }

            method.Body.SimplifyMacros();
            ILProcessor il = method.Body.GetILProcessor();
            foreach (Instruction access in accesses)
            {
                if (access.Operand is MethodReference { Name: "Dispose", DeclaringType.Name: nameof(CancellationTokenRegistration) })
                {
                    access.Operand = dispose;
                    access.OpCode = OpCodes.Call;
                    continue;
                }

                // Before a prefix, if there is one. What is on the stack stays there.
                (string variable, bool isWrite) = SharedAccess.Of(access)!.Value;
                Instruction first = access.Previous?.OpCode == OpCodes.Volatile ? access.Previous : access;
                Insert(method.Body, il, first, il.Create(OpCodes.Ldstr, variable));
                Insert(method.Body, il, first, il.Create(OpCodes.Ldc_I4, isWrite ? 1 : 0));
                Insert(method.Body, il, first, il.Create(OpCodes.Call, point));
            }

            method.Body.OptimizeMacros();
        }
    }

    /// <summary>Inserts an instruction. A branch to the instruction behind it must not jump over the first that is inserted.</summary>
    private static void Insert(Mono.Cecil.Cil.MethodBody body, ILProcessor il, Instruction before, Instruction inserted)
    {
        il.InsertBefore(before, inserted);
        if (inserted.OpCode != OpCodes.Ldstr)
        {
            return;
        }

        foreach (Instruction instruction in body.Instructions)
        {
            if (instruction.Operand == before)
            {
                instruction.Operand = inserted;
            }
            else if (instruction.Operand is Instruction[] targets)
            {
                instruction.Operand = Array.ConvertAll(targets, t => t == before ? inserted : t);
            }
        }

        foreach (ExceptionHandler handler in body.ExceptionHandlers)
        {
            handler.TryStart = handler.TryStart == before ? inserted : handler.TryStart;
            handler.TryEnd = handler.TryEnd == before ? inserted : handler.TryEnd;
            handler.HandlerStart = handler.HandlerStart == before ? inserted : handler.HandlerStart;
            handler.HandlerEnd = handler.HandlerEnd == before ? inserted : handler.HandlerEnd;
        }
    }

    /// <summary>A thread that the library starts is not explored: its one step is made by the thread that would start it.</summary>
    private static void ReplaceThreadOfCancellation(ModuleDefinition module)
    {
        if (module.GetTypes().FirstOrDefault(t => t.Name == "HostFunctionTokenSource") is not { } source)
        {
            return;
        }

        MethodDefinition direct = source.Methods.Single(m => m.Name == "CancelAndLog");
        foreach (Instruction call in module.GetTypes().SelectMany(t => t.Methods).Where(m => m.HasBody).SelectMany(m => m.Body.Instructions))
        {
            if (call.Operand is MethodReference { Name: "CancelOnOtherThread" })
            {
                call.Operand = direct;
            }
        }
    }
}
