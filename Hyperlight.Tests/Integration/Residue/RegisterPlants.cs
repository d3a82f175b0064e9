using System.Globalization;
using System.Reflection;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// Inverts every bit of every register that a hypervisor lets itself be set to, through the setters of
/// <see cref="IVirtualMachine"/>: more than any guest can do. The registers are found by reflection.
/// </summary>
internal static class RegisterPlants
{
    private const int Block = 32;
    private const int LastRegisterEnd = 416;
    private const int XstateBv = 512;
    private const int HeaderEnd = 576;
    private const int FirstRegister = 32;

    public static void Plant(IVirtualMachine machine)
    {
        foreach (MethodInfo getter in MachineState.Getters.Where(m => m.GetParameters().Length == 0))
        {
            MethodInfo setter = typeof(IVirtualMachine).GetMethod("Set" + getter.Name[3..])!;
            object value = getter.Invoke(machine, null)!;
            PlantIn(value, changed => Try(() => setter.Invoke(machine, [changed])));
        }

        PlantXsave(machine);
        foreach (uint index in machine.GuestWritableMsrs.ToArray())
        {
            ModelSpecificRegister[] register = [new(index)];
            machine.GetMsrs(register);
            PlantIn(register[0].Value, changed => Try(() => machine.SetMsrs([new(index, (ulong)changed)])));
        }
    }

    /// <summary>Changes a number, or each number of a structure, bit by bit; what was accepted is kept.</summary>
    private static object PlantIn(object value, Func<object, bool> accept)
    {
        if (value.GetType().IsPrimitive)
        {
            ulong number = Convert.ToUInt64(value, CultureInfo.InvariantCulture);
            for (int bit = 0; bit < 8 * System.Runtime.InteropServices.Marshal.SizeOf(value); bit++)
            {
                object changed = Convert.ChangeType(number ^ (1UL << bit), value.GetType(), CultureInfo.InvariantCulture);
                if (accept(changed))
                {
                    (value, number) = (changed, number ^ (1UL << bit));
                }
            }

            return value;
        }

        if (value is X87Stack or XmmRegisters)
        {
            // By way of the XSAVE image.
            return value;
        }

        foreach (PropertyInfo property in MachineState.Properties(value.GetType()))
        {
            object inner = PlantIn(property.GetValue(value)!, changed =>
            {
                object copy = Copy(value);
                property.SetValue(copy, changed);
                return accept(copy);
            });
            property.SetValue(value, inner);
        }

        return value;
    }

    /// <summary>Every component that the image has room for and the machine accepts.</summary>
    private static void PlantXsave(IVirtualMachine machine)
    {
        byte[] image = new byte[machine.XsaveSize];
        machine.GetXsave(image);
        for (int bit = 0; bit < 64; bit++)
        {
            byte[] changed = [.. image];
            changed[XstateBv + (bit / 8)] |= (byte)(1 << (bit % 8));
            if (Try(() => machine.SetXsave(changed)))
            {
                image = changed;
            }
        }

        for (int start = FirstRegister; start < image.Length; start += Block)
        {
            byte[] changed = [.. image];
            for (int i = start; i < start + Block && i < image.Length; i++)
            {
                changed[i] ^= i is < LastRegisterEnd or >= HeaderEnd ? (byte)0x5A : (byte)0;
            }

            if (Try(() => machine.SetXsave(changed)))
            {
                image = changed;
            }
        }
    }

    private static object Copy(object structure) => typeof(object)
        .GetMethod("MemberwiseClone", BindingFlags.Instance | BindingFlags.NonPublic)!.Invoke(structure, null)!;

    private static bool Try(Action set)
    {
        try
        {
            set();
            return true;
        }
        catch (TargetInvocationException exception) when (exception.InnerException is HypervisorException)
        {
            return false;
        }
        catch (HypervisorException)
        {
            return false;
        }
    }
}
