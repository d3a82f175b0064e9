using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// The driver's structures, bits and numbers are those of the public headers, as a C compiler computes them: eng/WhpLayouts.
/// </summary>
[TestFixture]
internal sealed class WhpLayoutTests
{
    /// <summary>Structures whose names in the headers do not follow from their names here.</summary>
    private static readonly Dictionary<string, string> OtherNames = new()
    {
        ["StartupInfo"] = "STARTUPINFOW",
        ["ProcessInformation"] = "PROCESS_INFORMATION",
        ["JobObjectExtendedLimits"] = "JOBOBJECT_EXTENDED_LIMIT_INFORMATION",
        ["JobObjectExtendedLimits.LimitFlags"] = "BasicLimitInformation.LimitFlags",
    };

    /// <summary>Two bit fields in one byte, of which C has no offset; they are compared as bits.</summary>
    private const string SharedByte = "WhvVpExitContext.InstructionLengthAndCr8";

    private static readonly HeaderLayouts Header = new(Path.Combine(AppContext.BaseDirectory, "whp-layouts.txt"));

    private static IEnumerable<Type> Types => typeof(WhvRegisterNames).Assembly.GetTypes()
        .Where(static t => t.Namespace == typeof(WhvRegisterNames).Namespace && !t.IsNested);

    /// <summary>Structures that the headers name; instruction bytes are an array there.</summary>
    private static IEnumerable<Type> Structures => Types.Where(static t => t.IsValueType && t != typeof(WhvInstructionBytes));

    /// <summary>The places of bits, whose headers have bit fields.</summary>
    private static readonly Dictionary<Type, string> BitFields = new()
    {
        [typeof(WhvCapabilityFeatures)] = "WHV_CAPABILITY_FEATURES",
        [typeof(WhvProcessorFeatures)] = "WHV_PROCESSOR_FEATURES",
        [typeof(WhvProcessorFeatures1)] = "WHV_PROCESSOR_FEATURES1",
    };

    private static IEnumerable<TestCaseData> Bits => BitFields.Keys.SelectMany(Literals);

    /// <summary>Types whose constants are values of bit fields, and the fields' structures.</summary>
    private static readonly Dictionary<Type, string> Masks = new()
    {
        [typeof(WhvPendingInterruption)] = "WHV_X64_PENDING_INTERRUPTION_REGISTER",
        [typeof(WhvInterruptState)] = "WHV_X64_INTERRUPT_STATE_REGISTER",
        [typeof(WhvDeliverabilityNotifications)] = "WHV_X64_DELIVERABILITY_NOTIFICATIONS_REGISTER",
    };

    private static IEnumerable<TestCaseData> MaskValues => Masks.Keys.SelectMany(Literals);

    private static IEnumerable<TestCaseData> Constants => Types
        .Where(static t => !BitFields.ContainsKey(t) && !Masks.ContainsKey(t))
        .SelectMany(Literals)
        .Where(static c => !IsMissingInHeaders(((FieldInfo)c.Arguments[0]!).Name));

    [TestCaseSource(nameof(Structures))]
    public void A_structure_has_the_size_and_the_offsets_of_the_header(Type structure)
    {
        string name = OtherNames.GetValueOrDefault(structure.Name, UpperSnake(structure.Name));
        Assert.Multiple(() =>
        {
            Assert.That(SizeOf(structure), Is.EqualTo(Header[$"size {name}"]));
            foreach (FieldInfo field in structure.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            {
                string here = $"{structure.Name}.{field.Name}";
                if (here != SharedByte)
                {
                    string there = OtherNames.GetValueOrDefault(here, field.Name);
                    Assert.That(OffsetOf(structure, field), Is.EqualTo(Header.Offset(name, there)), here);
                }
            }
        });
    }

    [TestCaseSource(nameof(Constants))]
    public void A_constant_has_the_value_of_the_header(FieldInfo constant)
    {
        ulong expected = constant.DeclaringType == typeof(WhvRegisterValue)
            ? Header[$"alignment WHV_REGISTER_VALUE"]
            : Header[$"value {constant.Name}"];
        Assert.That((uint)Value(constant), Is.EqualTo(expected));
    }

    [TestCaseSource(nameof(MaskValues))]
    public void A_mask_has_the_bits_of_the_header(FieldInfo mask) =>
        Assert.That(Value(mask), Is.EqualTo(Header[$"bits {Masks[mask.DeclaringType!]} {mask.Name}"]));

    [TestCaseSource(nameof(Bits))]
    public void A_bit_has_the_place_of_the_header(FieldInfo bit) =>
        Assert.That(1UL << (int)Value(bit), Is.EqualTo(Header[$"bits {BitFields[bit.DeclaringType!]} {bit.Name}"]));

    [Test]
    public void Newer_functions_have_the_names_of_the_header()
    {
        FieldInfo[] names = typeof(WinHvExports).GetFields(BindingFlags.Static | BindingFlags.Public);
        Assert.That(names, Is.Not.Empty);
        Assert.That(names.Select(static n => Header[$"function {n.GetRawConstantValue()}"]), Is.All.EqualTo(1));
    }

    [Test]
    public void Bit_fields_of_a_memory_access_are_those_of_the_header() => Assert.Multiple(() =>
    {
        WhvMemoryAccessContext unmapped = new() { AccessInfo = Bit("WHV_MEMORY_ACCESS_INFO GpaUnmapped") };
        Assert.That((unmapped.GpaUnmapped, unmapped.AccessType), Is.EqualTo((true, 0)));
        WhvMemoryAccessContext type = new() { AccessInfo = Bit("WHV_MEMORY_ACCESS_INFO AccessType") };
        Assert.That((type.GpaUnmapped, type.AccessType), Is.EqualTo((false, 3)));
    });

    [TestCase("IsWrite", true, 0, false, false)]
    [TestCase("AccessSize", false, 7, false, false)]
    [TestCase("StringOp", false, 0, true, false)]
    [TestCase("RepPrefix", false, 0, false, true)]
    public void Bit_fields_of_a_port_access_are_those_of_the_header(string field, bool isWrite, byte size, bool isString, bool isRepeated)
    {
        WhvX64IoPortAccessContext access = new() { AccessInfo = Bit($"WHV_X64_IO_PORT_ACCESS_INFO {field}") };
        Assert.That(
            (access.IsWrite, access.AccessSize, access.StringOp, access.RepPrefix), Is.EqualTo((isWrite, size, isString, isRepeated)));
    }

    [Test]
    public void The_length_of_an_instruction_is_the_bit_field_of_the_header()
    {
        int offset = (int)Marshal.OffsetOf<WhvVpExitContext>(nameof(WhvVpExitContext.InstructionLengthAndCr8));
        byte length = (byte)(Header["bits WHV_VP_EXIT_CONTEXT InstructionLength"] >> (8 * offset));
        byte cr8 = (byte)(Header["bits WHV_VP_EXIT_CONTEXT Cr8"] >> (8 * offset));
        Assert.That(length | cr8, Is.EqualTo(0xFF));
        Assert.That(new WhvVpExitContext { InstructionLengthAndCr8 = length }.InstructionLength, Is.EqualTo(15));
        Assert.That(new WhvVpExitContext { InstructionLengthAndCr8 = cr8 }.InstructionLength, Is.Zero);
    }

    /// <summary>The error codes of the platform are in headers of the Windows SDK alone.</summary>
    private static bool IsMissingInHeaders(string constant) => constant.StartsWith("WHV_E_", StringComparison.Ordinal)
        || constant == nameof(HResults.ERROR_VID_PARTITION_ALREADY_EXISTS);

    private static IEnumerable<TestCaseData> Literals(Type type) => type
        .GetFields(BindingFlags.Static | BindingFlags.Public)
        .Where(static f => f.IsLiteral && f.FieldType != typeof(string))
        .Select(f => new TestCaseData(f).SetArgDisplayNames($"{type.Name}.{f.Name}"));

    private static uint Bit(string name) => (uint)Header[$"bits {name}"];

    private static ulong Value(FieldInfo constant) => constant.GetRawConstantValue() switch
    {
        nint number => (ulong)number,
        { } other => unchecked((ulong)(Convert.ToInt64(other, CultureInfo.InvariantCulture))),
        null => throw new InvalidOperationException(constant.Name),
    };

    private static ulong SizeOf(Type structure) =>
        (ulong)(structure.StructLayoutAttribute!.Size is > 0 and var declared ? declared : Marshal.SizeOf(structure));

    private static ulong OffsetOf(Type structure, FieldInfo field) =>
        (ulong)(field.GetCustomAttribute<FieldOffsetAttribute>()?.Value ?? (int)Marshal.OffsetOf(structure, field.Name));

    /// <summary>WhvX64TableRegister: WHV_X64_TABLE_REGISTER.</summary>
    private static string UpperSnake(string name)
    {
        StringBuilder snake = new();
        foreach (char c in name)
        {
            if (char.IsUpper(c) && snake.Length > 0)
            {
                snake.Append('_');
            }

            snake.Append(char.ToUpperInvariant(c));
        }

        return snake.ToString();
    }
}
