//! The one place where columns cross between Arrow and Polars, by the Arrow C data interface and without a copy.
//! Both libraries lay out `ArrowArray` and `ArrowSchema` as that interface's C structs, which is what makes it sound.
#![allow(unsafe_code)]

use arrow::array::{ArrayRef, RecordBatch, make_array};
use arrow::datatypes::{Field, Schema};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use polars::prelude::{Column, CompatLevel, DataFrame, PolarsResult, Series};
use polars_arrow::ffi as polars_ffi;
use std::mem::transmute;
use std::sync::Arc;

use crate::fault::{Error, Result};

// The C data interface fixes the size of its structs; a library that laid them out otherwise must not compile here.
const _: () = assert!(size_of::<FFI_ArrowArray>() == size_of::<polars_ffi::ArrowArray>());
const _: () = assert!(size_of::<FFI_ArrowSchema>() == size_of::<polars_ffi::ArrowSchema>());

/// Batches of one schema as a Polars frame.
pub fn to_polars(batches: &[RecordBatch]) -> Result<DataFrame> {
    let Some(first) = batches.first() else { return Err(Error::internal("a frame needs at least one batch")) };
    let height = batches.iter().map(RecordBatch::num_rows).sum();
    let mut columns = Vec::with_capacity(first.num_columns());
    for (position, field) in first.schema().fields().iter().enumerate() {
        let chunks: PolarsResult<Vec<_>> =
            batches.iter().map(|batch| array_to_polars(batch.column(position), field)).collect();
        let series = chunks.and_then(|chunks| {
            let field = chunks.first().map(|(field, _)| field.clone());
            let arrays = chunks.into_iter().map(|(_, array)| array).collect::<Vec<_>>();
            match field {
                Some(field) => Series::try_from((&field, arrays)),
                None => Ok(Series::default()),
            }
        });
        columns.push(Column::from(series.map_err(|error| crossing(&error))?));
    }
    DataFrame::new(height, columns).map_err(|error| crossing(&error))
}

fn array_to_polars(
    array: &ArrayRef,
    field: &Field,
) -> PolarsResult<(polars_arrow::datatypes::Field, polars_arrow::array::ArrayRef)> {
    let compute =
        |error: arrow::error::ArrowError| polars::prelude::PolarsError::ComputeError(error.to_string().into());
    let (ffi_array, _) = to_ffi(&array.to_data()).map_err(compute)?;
    let ffi_schema = FFI_ArrowSchema::try_from(field).map_err(compute)?;
    // SAFETY: the two structs are the C data interface's own, of the same layout; ownership moves with the value.
    let (ffi_array, ffi_schema) = unsafe {
        (
            transmute::<FFI_ArrowArray, polars_ffi::ArrowArray>(ffi_array),
            transmute::<FFI_ArrowSchema, polars_ffi::ArrowSchema>(ffi_schema),
        )
    };
    // SAFETY: both were made from a valid array and its field one line above.
    unsafe {
        let field = polars_ffi::import_field_from_c(&ffi_schema)?;
        let array = polars_ffi::import_array_from_c(ffi_array, field.dtype().clone())?;
        Ok((field, array))
    }
}

/// A Polars frame as one batch.
pub fn to_arrow(mut frame: DataFrame) -> Result<RecordBatch> {
    frame.rechunk_mut();
    let mut fields = Vec::with_capacity(frame.width());
    let mut arrays = Vec::with_capacity(frame.width());
    for column in frame.columns() {
        let array = array_to_arrow(column.as_materialized_series())?;
        fields.push(Field::new(column.name().as_str(), array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(frame.height()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(|error| crossing(&error))
}

fn array_to_arrow(series: &Series) -> Result<ArrayRef> {
    let level = CompatLevel::newest();
    let field = series.field().to_arrow(level);
    let ffi_schema = polars_ffi::export_field_to_c(&field);
    let ffi_array = polars_ffi::export_array_to_c(series.to_arrow(0, level));
    // SAFETY: the two structs are the C data interface's own, of the same layout; ownership moves with the value.
    let (ffi_array, ffi_schema) = unsafe {
        (
            transmute::<polars_ffi::ArrowArray, FFI_ArrowArray>(ffi_array),
            transmute::<polars_ffi::ArrowSchema, FFI_ArrowSchema>(ffi_schema),
        )
    };
    // SAFETY: both were exported from a valid series above.
    let data = unsafe { from_ffi(ffi_array, &ffi_schema) }.map_err(|error| crossing(&error))?;
    Ok(make_array(data))
}

fn crossing(error: &dyn std::error::Error) -> Error {
    Error::internal(format!("a table could not cross between Arrow and Polars: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Decimal128Array, LargeStringArray, TimestampMicrosecondArray};
    use arrow::compute::cast;
    use arrow::datatypes::DataType;

    #[test]
    fn columns_survive_the_crossing() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("text", Arc::new(LargeStringArray::from(vec![Some("户"), None]))),
            ("date", Arc::new(Date32Array::from(vec![Some(20_000), None]))),
            ("time", Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None]))),
            (
                "money",
                Arc::new(Decimal128Array::from(vec![Some(-1234), None]).with_precision_and_scale(18, 2).unwrap()),
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let back = to_arrow(to_polars(&[batch.clone(), batch.clone()]).unwrap()).unwrap();
        assert_eq!(back.num_rows(), 4);
        for (position, column) in batch.columns().iter().enumerate() {
            let returned = cast(back.column(position), column.data_type()).unwrap();
            assert_eq!(&returned.slice(0, 2), column);
            assert_eq!(&returned.slice(2, 2), column);
        }
        assert!(matches!(back.column(1).data_type(), DataType::Date32));
    }
}
