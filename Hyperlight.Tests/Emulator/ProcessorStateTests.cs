using System.Reflection;
using System.Runtime.InteropServices;
using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Tests.Emulator;

/// <summary>The fields of a processor's state have places of their own: emitted code and the interpreter use the same memory.</summary>
internal sealed class ProcessorStateTests
{
    [Test]
    public void Fields_do_not_overlap_and_are_in_the_state()
    {
        int end = 0;
        foreach ((FieldInfo field, int offset) in Fields().OrderBy(static field => field.Offset))
        {
            Assert.That(offset, Is.GreaterThanOrEqualTo(end), field.Name);
            end = offset + SizeOf(field);
        }

        Assert.That(end, Is.EqualTo(ProcessorState.Size));
    }

    [Test]
    public void A_part_is_as_large_as_it_says()
    {
        Type[] parts =
        [
            typeof(FlagResults), typeof(SegmentState), typeof(ControlState), typeof(MsrState), typeof(DebugState), typeof(InterruptState), typeof(X87State),
        ];
        Assert.Multiple(() =>
        {
            foreach (Type part in parts)
            {
                var size = (int)part.GetField("Size")!.GetRawConstantValue()!;
                Assert.That(ManagedSizeOf(part), Is.EqualTo(size), part.Name);
                Assert.That(Fields().Select(static field => field.Field.FieldType), Has.Member(part));
            }
        });
    }

    private static IEnumerable<(FieldInfo Field, int Offset)> Fields() =>
        from field in typeof(ProcessorState).GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
        select (field, field.GetCustomAttribute<FieldOffsetAttribute>()!.Value);

    private static int SizeOf(FieldInfo field) => field.FieldType.IsPointer || field.FieldType.IsFunctionPointer ? IntPtr.Size : ManagedSizeOf(field.FieldType);

    private static int ManagedSizeOf(Type type) =>
        (int)typeof(System.Runtime.CompilerServices.Unsafe).GetMethod("SizeOf")!.MakeGenericMethod(type).Invoke(null, null)!;
}
