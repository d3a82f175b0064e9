using System.Reflection;
using System.Reflection.Emit;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Writes the host's intermediate code: a thin layer that names what the compiler needs.</summary>
internal sealed class CodeWriter(ILGenerator il)
{
    public Label NewLabel() => il.DefineLabel();

    public void Mark(Label label) => il.MarkLabel(label);

    public void Emit(OpCode code) => il.Emit(code);

    public void Emit(OpCode code, Label label) => il.Emit(code, label);

    public void Emit(OpCode code, FieldInfo field) => il.Emit(code, field);

    public void Emit(OpCode code, Type type) => il.Emit(code, type);

    public void Switch(Label[] labels) => il.Emit(OpCodes.Switch, labels);

    public void Call(MethodInfo method) => il.Emit(OpCodes.Call, method);

    public void Argument(int index) => il.Emit(OpCodes.Ldarg, (short)index);

    public void Load(LocalBuilder local) => il.Emit(OpCodes.Ldloc, local);

    public void Store(LocalBuilder local) => il.Emit(OpCodes.Stloc, local);

    public void Int32(int value) => il.Emit(OpCodes.Ldc_I4, value);

    public void Int64(ulong value) => il.Emit(OpCodes.Ldc_I8, (long)value);

    public LocalBuilder Local(Type type) => il.DeclareLocal(type);

    /// <summary>Pops an address, which need not be aligned, and pushes what is there with zeros above.</summary>
    public void LoadIndirect(int size)
    {
        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(size switch { 8 => OpCodes.Ldind_I8, 4 => OpCodes.Ldind_U4, 2 => OpCodes.Ldind_U2, _ => OpCodes.Ldind_U1 });
        if (size < 8)
        {
            il.Emit(OpCodes.Conv_U8);
        }
    }

    /// <summary>Pops a value and an address, which need not be aligned, and stores as many bytes there.</summary>
    public void StoreIndirect(int size)
    {
        if (size < 8)
        {
            il.Emit(OpCodes.Conv_I4);
        }

        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(size switch { 8 => OpCodes.Stind_I8, 4 => OpCodes.Stind_I4, 2 => OpCodes.Stind_I2, _ => OpCodes.Stind_I1 });
    }

    /// <summary>Cuts the value on the stack off at a number of bytes, with zeros above.</summary>
    public void ZeroExtend(int size)
    {
        if (size < 8)
        {
            il.Emit(size switch { 4 => OpCodes.Conv_U4, 2 => OpCodes.Conv_U2, _ => OpCodes.Conv_U1 });
            il.Emit(OpCodes.Conv_U8);
        }
    }

    /// <summary>Cuts the value on the stack off at a number of bytes, with copies of its sign above.</summary>
    public void SignExtend(int size)
    {
        if (size < 8)
        {
            il.Emit(size switch { 4 => OpCodes.Conv_I4, 2 => OpCodes.Conv_I2, _ => OpCodes.Conv_I1 });
            il.Emit(OpCodes.Conv_I8);
        }
    }

    /// <summary>Turns a condition on the stack into its opposite.</summary>
    public void Not()
    {
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Ceq);
    }
}
